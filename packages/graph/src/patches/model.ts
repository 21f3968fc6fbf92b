import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { isTracing } from "../tfjs/recording.ts";

/** Computes the output tensors of a model for the input tensors of one batch. */
export type BatchFunction = (data: (tf.Tensor | null | undefined)[]) => tf.Tensor[];

/** The use of a batch function. */
export type Purpose = "Training" | "Evaluation" | "Prediction";

/** The methods of a LayersModel that compute, and the fields that they depend on; not public in its types. */
interface Inner {
  makeTrainFunction(): BatchFunction;
  makeTestFunction(): void;
  testFunction: BatchFunction;
  predictLoop(inputs: tf.Tensor | tf.Tensor[], batchSize?: number, verbose?: boolean): tf.Tensor | tf.Tensor[];
  optimizer_: object;
  lossFunctions: object;
  metricsTensors: object;
  collectedTrainableWeights: object;
}

/**
 * What: on one model, `makeTrainFunction`, `makeTestFunction` and `predictLoop` use what `replace` makes of their batch
 * functions. The inner model of a Sequential, which `compile` makes anew, gets the same through the property `model`.
 * Why: `fit`, `evaluate` and `predict`, with all their arguments and callbacks, end in these three.
 * Undone: by the function that comes back.
 */
export function patchModel(
  model: tfl.LayersModel,
  replace: (fn: BatchFunction, purpose: Purpose) => BatchFunction,
): () => void {
  const undo: (() => void)[] = [];
  const patch = (inner: Inner) => undo.push(patchMethods(inner, replace));
  patch(model as unknown as Inner);
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
  return () => {
    for (const step of undo.splice(0).toReversed()) step();
  };
}

function patchMethods(inner: Inner, replace: (fn: BatchFunction, purpose: Purpose) => BatchFunction): () => void {
  const { makeTrainFunction, makeTestFunction, predictLoop } = inner;
  const trained = new Remembered();
  const tested = new Remembered();
  let predict: BatchFunction | undefined;
  const methods = {
    makeTrainFunction: () => {
      const own = makeTrainFunction.call(inner);
      return trained.get(inner, () => replace(own, "Training"));
    },
    makeTestFunction: () => {
      makeTestFunction.call(inner);
      const own = inner.testFunction;
      inner.testFunction = tested.get(inner, () => replace(own, "Evaluation"));
    },
    predictLoop: (inputs: tf.Tensor | tf.Tensor[], batchSize = 32, verbose = false) => {
      const list = Array.isArray(inputs) ? inputs : [inputs];
      if (isTracing()) return predictLoop.call(inner, inputs, batchSize, verbose);
      const whole = (data: tf.Tensor[]) => [predictLoop.call(inner, data, (data[0] as tf.Tensor).shape[0])].flat();
      predict ??= replace(whole as BatchFunction, "Prediction");
      const compute = predict;
      const outputs = tf.tidy(() => inBatches(list, batchSize, compute));
      return outputs.length === 1 ? (outputs[0] as tf.Tensor) : outputs;
    },
  };
  Object.assign(inner, methods);
  return () => {
    for (const name of Object.keys(methods)) Reflect.deleteProperty(inner, name);
  };
}

/** Makes a batch function, and makes it anew when the model was compiled in another way. */
class Remembered {
  #key: readonly object[] = [];
  #made: BatchFunction | undefined;

  get(
    { optimizer_, lossFunctions, metricsTensors, collectedTrainableWeights }: Inner,
    make: () => BatchFunction,
  ): BatchFunction {
    const key = [optimizer_, lossFunctions, metricsTensors, collectedTrainableWeights];
    if (this.#made === undefined || key.some((part, index) => part !== this.#key[index])) {
      this.#key = key;
      this.#made = make();
    }
    return this.#made;
  }
}

/** Predicts slices of the inputs and joins the results. */
function inBatches(inputs: readonly tf.Tensor[], batchSize: number, predict: BatchFunction): tf.Tensor[] {
  const size = (inputs[0] as tf.Tensor).shape[0] as number;
  if (size <= batchSize) return predict([...inputs]);
  const parts: tf.Tensor[][] = [];
  for (let start = 0; start < size; start += batchSize) {
    const length = Math.min(batchSize, size - start);
    parts.push(predict(inputs.map((x) => tf.slice(x, start, length))));
  }
  return (parts[0] as tf.Tensor[]).map((_, output) => tf.concat(parts.map((part) => part[output] as tf.Tensor)));
}
