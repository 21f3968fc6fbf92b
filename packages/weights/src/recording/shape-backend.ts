import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { kernelShapes } from "./kernel-shapes.ts";
import type { Attributes, KernelInputs, Output } from "./kernel-shapes.ts";

const backendName = "convkit-shapes";

/** Called for each kernel: with its inputs, and with the new data of its outputs. */
type Listener = (kernel: string, inputs: KernelInputs, attrs: Attributes, outputs: tf.TensorInfo[]) => void;

/** A backend that computes shapes only. It holds the values of constants; other values do not exist. */
class ShapeBackend extends tf.KernelBackend {
  readonly constants = new Map<object, tf.BackendValues | undefined>();

  // Nothing is freed before the recording ends, so tfjs' check for leaks in kernels has nothing to count.
  override numDataIds(): number {
    return 0;
  }
  override write(values: tf.BackendValues): object {
    const id = {};
    this.constants.set(id, values);
    return id;
  }
  override move(id: object, values: tf.BackendValues): void {
    this.constants.set(id, values);
  }
  override readSync(id: object): tf.BackendValues {
    const values = this.constants.get(id);
    if (values === undefined) throw new OptionError("it reads a value, which is known in a run only");
    return values;
  }
  override read(id: object): Promise<tf.BackendValues> {
    return Promise.resolve(this.readSync(id));
  }
  // All data lives until the recording ends.
  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  override refCount(): number {
    return 1;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {
    this.constants.clear();
  }
}

let listener: Listener | undefined;

function register(): void {
  if (tf.findBackend(backendName) !== null) return;
  tf.registerBackend(backendName, () => new ShapeBackend(), 0);
  for (const [kernelName, outputsOf] of Object.entries(kernelShapes)) {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => {
        const given = inputs as unknown as KernelInputs;
        const found = outputsOf(given, (attrs ?? {}) as Attributes);
        const outputs = [found].flat().map(info);
        listener?.(kernelName, given, (attrs ?? {}) as Attributes, outputs);
        return Array.isArray(found) ? outputs : outputs[0]!;
      },
    });
  }
}

function info({ shape, dtype }: Output): tf.TensorInfo {
  const dataId = (tf.backend() as ShapeBackend).write(undefined as never);
  return { dataId, shape: [...shape], dtype };
}

/**
 * Runs `body` on the backend that computes shapes only, and calls `onKernel` for each kernel. `body` must not wait for
 * anything: the backend of before is in use again when this function returns.
 */
export function withShapesOnly<T>(body: () => T, onKernel: Listener): T {
  register();
  const before = tf.getBackend();
  // A backend that exists is set at once; the promise tells nothing more.
  void tf.setBackend(backendName);
  listener = onKernel;
  tf.engine().startScope("recording");
  try {
    return body();
  } finally {
    tf.engine().endScope();
    (tf.backend() as ShapeBackend).dispose();
    listener = undefined;
    void tf.setBackend(before);
  }
}
