import type { Feed, Values } from "@convkit/graph";

import { fillTensor, isSameShape, type NativeTensor } from "./tensors.ts";

/** One call at a time of a model, with the memory of its inputs and outputs: for one shape of each input. */
export interface InferRequest {
  /** True if a call takes less time than a thread costs. */
  isQuick(): boolean;
  /** True for inputs of the request's shapes. */
  fits(feeds: readonly Feed[]): boolean;
  runNow(feeds: readonly Feed[]): Values[];
  run(feeds: readonly Feed[]): Promise<Values[]>;
  dispose(): void;
}

/** What a library does for a request. */
export interface RequestCalls {
  readonly inputs: readonly NativeTensor[];
  /** Runs the model with the inputs as they are; throws a PredictError. */
  infer(): void;
  /** The same in another thread. */
  inferLater(): Promise<void>;
  /** True once the library writes the outputs into memory of ours, so that nothing has to be asked after a call. */
  keepsOutputs(): boolean;
  /** Copies of the outputs of the last call. */
  read(): Values[];
  dispose(): void;
}

/** Calls that take less than this many milliseconds are made at once: a thread of their own would cost as much. */
const worthAThread = 0.5;

/** A request that times its calls. */
export function timedRequest({ inputs, infer, inferLater, keepsOutputs, read, dispose }: RequestCalls): InferRequest {
  let typicalMs = Infinity;
  const fill = (given: readonly Feed[]): void => {
    for (let index = 0; index < given.length; index++) fillTensor(inputs[index]!, given[index]!.data);
  };
  const took = (ms: number): void => {
    // Some slow calls on a busy machine do not make a quick model a slow one: it takes many of them to double the time.
    typicalMs = Math.min(ms, 1.02 * typicalMs);
  };
  return {
    isQuick: () => typicalMs < worthAThread && keepsOutputs(),
    fits(given) {
      if (given.length !== inputs.length) return false;
      for (let index = 0; index < given.length; index++)
        if (!isSameShape(given[index]!.shape, inputs[index]!.shape)) return false;
      return true;
    },
    runNow(given) {
      fill(given);
      const start = performance.now();
      infer();
      took(performance.now() - start);
      return read();
    },
    async run(given) {
      fill(given);
      const start = performance.now();
      await inferLater();
      // Waiting for a thread is no computing.
      typicalMs = Math.min(performance.now() - start, typicalMs);
      return read();
    },
    dispose,
  };
}
