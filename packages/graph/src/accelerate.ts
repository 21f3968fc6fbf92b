import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { isTracing } from "./tfjs/recording.ts";
import { compileWatched, isUntraceable } from "./compile.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import type { TraceDescription } from "./compiled/describe.ts";
import type { HostTensor } from "./values/host-tensor.ts";

/** How a model is accelerated. */
export interface AccelerateOptions extends Omit<CompileOptions, "freeze"> {
  /** Hears once what runs eagerly because it cannot be compiled; Node's warnings by default. */
  onNotice?: (line: string) => void;
}

/** An accelerated model's compiled functions. */
export interface Accelerated {
  /** What was compiled so far. */
  describe(): TraceDescription[];
  /** Gives the model its own methods back, with the weights as they are. */
  dispose(): Promise<void>;
}

type Step = (data: (tf.Tensor | null | undefined)[]) => tf.Tensor[];

/** The methods of a LayersModel that compute, and what they depend on; they are not public in its types. */
interface Inner {
  name: string;
  makeTrainFunction(): Step;
  makeTestFunction(): void;
  testFunction: Step;
  predictLoop(inputs: tf.Tensor | tf.Tensor[], batchSize?: number, verbose?: boolean): tf.Tensor | tf.Tensor[];
  optimizer_: object;
  lossFunctions: object;
  metricsTensors: object;
  collectedTrainableWeights: object;
}

/**
 * Lets an ordinary tfjs model train and predict by compiled graphs: `fit`, `fitDataset`, `trainOnBatch`, `evaluate`,
 * `evaluateDataset`, `predict` and `predictOnBatch` keep their arguments, callbacks, History and numbers. What cannot be
 * compiled runs eagerly, which is said once.
 */
export function accelerate(
  model: tfl.LayersModel,
  { onNotice = (line) => process.emitWarning(line), ...options }: AccelerateOptions = {},
): Accelerated {
  const compiled = new Set<Compiled<unknown[], unknown>>();
  const undo: (() => void)[] = [];

  /** The function as a graph; eager from the first failure to compile that eager tfjs does not have on. */
  function fast(fn: Step, what: string): Step {
    const graph = compileWatched(fn as (...args: unknown[]) => unknown, options);
    compiled.add(graph);
    let eager = false;
    return (data) => {
      if (eager || isTracing()) return fn(data);
      try {
        return (graph.now(data) as unknown as HostTensor[]).map((value) => value.tensor());
      } catch (error) {
        if (!isUntraceable(error)) throw error;
        const result = fn(data);
        eager = true;
        onNotice(`${what} of the model ${model.name} runs eagerly: ${(error as Error).message}`);
        return result;
      }
    };
  }

  function patch(inner: Inner): void {
    const { makeTrainFunction, makeTestFunction, predictLoop } = inner;
    const trained = new Remembered();
    const tested = new Remembered();
    let predict: Step | undefined;
    Object.assign(inner, {
      makeTrainFunction: () => {
        const own = makeTrainFunction.call(inner);
        return trained.get(inner, () => fast(own, "Training"));
      },
      makeTestFunction: () => {
        makeTestFunction.call(inner);
        const own = inner.testFunction;
        inner.testFunction = tested.get(inner, () => fast(own, "Evaluation"));
      },
      predictLoop: (inputs: tf.Tensor | tf.Tensor[], batchSize = 32, verbose = false) => {
        const list = Array.isArray(inputs) ? inputs : [inputs];
        if (isTracing()) return predictLoop.call(inner, inputs, batchSize, verbose);
        const whole = (data: tf.Tensor[]) => [predictLoop.call(inner, data, (data[0] as tf.Tensor).shape[0])].flat();
        predict ??= fast(whole as Step, "Prediction");
        const compute = predict;
        const outputs = tf.tidy(() => inBatches(list, batchSize, compute));
        return outputs.length === 1 ? (outputs[0] as tf.Tensor) : outputs;
      },
    });
    undo.push(() => {
      for (const name of ["makeTrainFunction", "makeTestFunction", "predictLoop"]) Reflect.deleteProperty(inner, name);
    });
  }

  patch(model as unknown as Inner);
  // A Sequential works by an inner model that `compile` makes anew.
  if ("model" in model || model.getClassName() === "Sequential") {
    let inner = (model as unknown as { model?: Inner }).model;
    if (inner !== undefined && inner !== null) patch(inner);
    Object.defineProperty(model, "model", {
      configurable: true,
      enumerable: true,
      get: () => inner,
      set: (next: Inner | undefined) => {
        inner = next;
        if (next !== undefined && next !== null) patch(next);
      },
    });
    undo.push(() =>
      Object.defineProperty(model, "model", { value: inner, writable: true, configurable: true, enumerable: true }),
    );
  }

  return {
    describe: () => [...compiled].flatMap((graph) => graph.describe()),
    dispose: async () => {
      for (const step of undo.splice(0).toReversed()) step();
      await Promise.all([...compiled].map((graph) => graph.dispose()));
      compiled.clear();
    },
  };
}

/** A function made once for each way a model was compiled. */
class Remembered {
  #key: readonly object[] = [];
  #made: Step | undefined;

  get({ optimizer_, lossFunctions, metricsTensors, collectedTrainableWeights }: Inner, make: () => Step): Step {
    const key = [optimizer_, lossFunctions, metricsTensors, collectedTrainableWeights];
    if (this.#made === undefined || key.some((part, index) => part !== this.#key[index])) {
      this.#key = key;
      this.#made = make();
    }
    return this.#made;
  }
}

/** Predicts slices of the inputs and joins what comes. */
function inBatches(inputs: readonly tf.Tensor[], batchSize: number, predict: Step): tf.Tensor[] {
  const size = (inputs[0] as tf.Tensor).shape[0] as number;
  if (size <= batchSize) return predict([...inputs]);
  const parts: tf.Tensor[][] = [];
  for (let start = 0; start < size; start += batchSize) {
    const length = Math.min(batchSize, size - start);
    parts.push(predict(inputs.map((x) => tf.slice(x, start, length))));
  }
  return (parts[0] as tf.Tensor[]).map((_, output) => tf.concat(parts.map((part) => part[output] as tf.Tensor)));
}
