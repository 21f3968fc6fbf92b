import * as tf from "@tensorflow/tfjs-core";

import { EngineError } from "../engine-error.ts";

/** What is used of a `GPUDevice`. */
interface Device {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number };
  addEventListener(
    type: "uncapturederror",
    listener: (event: { readonly error: { readonly message: string }; preventDefault?(): void }) => void,
  ): void;
}

/** What is used of tfjs' WebGPU backend. */
interface Backend extends tf.KernelBackend {
  readonly device: Device;
  readonly tensorMap: { get(dataId: object): { readonly values?: unknown; readonly dtype: tf.DataType } | undefined };
  readonly bufferManager: { acquireBuffer(size: number, ...rest: unknown[]): unknown };
}

const guarded = new WeakSet<object>();

/**
 * Makes tfjs' WebGPU backend tell of what fails, with an `EngineError`. WebGPU goes on after a command that the GPU refused or after the
 * loss of its device, and tells of it later; the values of such a tensor are zeros. So reads are refused from then on. A tensor that is
 * larger than the GPU takes is refused before. Where there is no canvas, as in Node, synchronous reads are refused.
 */
export function guardWebGpu(): void {
  const backend = tf.findBackend("webgpu") as Backend;
  if (guarded.has(backend)) return;
  guarded.add(backend);
  const { device, bufferManager } = backend;
  const largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
  let failure: string | undefined;
  void device.lost.then(({ reason, message }) => {
    const cause = reason === "destroyed" ? "it was destroyed" : "its driver or the GPU failed";
    failure = `The webgpu engine lost its GPU (${[cause, firstLine(message)].filter((part) => part !== "").join(": ")})`;
  });
  device.addEventListener("uncapturederror", (event) => {
    // Told by the next read, and not on the console.
    event.preventDefault?.();
    failure ??= `The GPU refused a command of the webgpu engine (${firstLine(event.error.message)}), and what was computed since may be wrong`;
  });
  const check = (): void => {
    if (failure === undefined) return;
    throw new EngineError(
      `${failure}: start the program again, with a smaller batch if its memory ran out. A training goes on from its last checkpoint with resume.`,
    );
  };
  const { acquireBuffer } = bufferManager;
  bufferManager.acquireBuffer = function (size, ...rest) {
    if (size > largest)
      throw new EngineError(
        `A tensor of ${size} bytes is larger than this GPU takes, ${largest} bytes: take a smaller batch or image.`,
      );
    return acquireBuffer.call(this, size, ...rest);
  };
  const { read, readSync } = backend;
  backend.read = async function (dataId) {
    check();
    const values = await read.call(this, dataId).catch((error: unknown) => {
      check();
      throw error;
    });
    check();
    return values;
  };
  backend.readSync = function (dataId) {
    check();
    const { values, dtype } = this.tensorMap.get(dataId) ?? {};
    if (values == null && dtype !== "complex64" && typeof OffscreenCanvas === "undefined")
      throw new EngineError(
        "The webgpu engine reads tensors asynchronously in Node: take await tensor.data() in place of dataSync(), and await tensor.array() in place of arraySync().",
      );
    return readSync.call(this, dataId);
  };
}

function firstLine(message: string): string {
  return message.trim().split("\n")[0]!.replace(/[.:]$/, "");
}
