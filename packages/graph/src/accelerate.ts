import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkAccelerate } from "./accelerate-options.ts";
import type { Accelerated, AccelerateOptions } from "./accelerate-options.ts";
import { isTracing } from "./tfjs/recording.ts";
import { compileWatched } from "./compile.ts";
import type { Compiled } from "./compile.ts";
import { isUntraceable } from "./compiled/function-compiler.ts";
import { warnOnce } from "./session/threads.ts";
import { patchModel } from "./patches/model.ts";
import type { BatchFunction } from "./patches/model.ts";
import type { HostTensor } from "./values/host-tensor.ts";

/**
 * Makes an ordinary tfjs model train and predict with compiled graphs. `fit`, `fitDataset`, `trainOnBatch`, `evaluate`,
 * `evaluateDataset`, `predict` and `predictOnBatch` keep their arguments, callbacks, History and numbers. Functions
 * that cannot be compiled run eagerly, and so does everything on other backends than TensorFlow; `onNotice` is called
 * once for it. Throws GraphError for unknown options.
 */
export function accelerate(model: tfl.LayersModel, options: AccelerateOptions = {}): Accelerated {
  checkAccelerate(model, options);
  const { onNotice = warnOnce } = options;
  const graphs = new Set<Compiled<unknown[], unknown>>();
  const undo = patchModel(model, (fn, purpose) => {
    const graph = compileWatched(fn as (...args: unknown[]) => unknown, { ...options, onNotice });
    graphs.add(graph);
    return compiledOrEager(fn, graph, (reason) =>
      onNotice(`${purpose} of the model ${model.name} runs eagerly: ${reason}`),
    );
  });
  return {
    describe: () => [...graphs].flatMap((graph) => graph.describe()),
    dispose: async () => {
      undo();
      await Promise.all([...graphs].map((graph) => graph.dispose()));
      graphs.clear();
    },
  };
}

/** Runs `graph`; if `fn` cannot be traced but runs eagerly, falls back to eager for good. */
function compiledOrEager(
  fn: BatchFunction,
  graph: Compiled<unknown[], unknown>,
  onEager: (reason: string) => void,
): BatchFunction {
  let isEager = false;
  let hasNotice = false;
  const notice = (reason: string) => {
    if (!hasNotice) onEager(reason);
    hasNotice = true;
  };
  return (data) => {
    if (isEager || isTracing()) return fn(data);
    if (tf.getBackend() !== "tensorflow") {
      notice(`compiled functions need the "tensorflow" backend, and the active one is "${tf.getBackend()}".`);
      return fn(data);
    }
    try {
      return (graph.now(data.map(plain)) as unknown as HostTensor[]).map((value) => value.tensor());
    } catch (error) {
      if (!isUntraceable(error)) throw error;
      const result = fn(data);
      isEager = true;
      notice((error as Error).message);
      return result;
    }
  };
}

/** Passes a variable among the inputs as data, so that a new variable needs no new trace. */
function plain(tensor: tf.Tensor | null | undefined): unknown {
  return tensor instanceof tf.Variable ? { data: tensor.dataSync(), shape: tensor.shape, dtype: tensor.dtype } : tensor;
}
