import { OptionError } from "@convkit/errors";
import type { Feed, LoadedSavedModel, Values } from "@convkit/graph";

import { PredictError } from "../predict-error.ts";
import type { PredictorOptions } from "../predictor-options.ts";
import { onnxRuntimes } from "../runtimes/runtime-names.ts";
import type { Port, Session } from "../runtimes/session.ts";
import { openedModel, type OpenedModel, type Opening } from "./opened-model.ts";

/** Opens the folder of a SavedModel that others wrote, on TensorFlow: it is a graph, which no other runtime reads. */
export async function openSavedModel(
  folder: string,
  { runtime = "auto", precision = "float32", threads, execution, ...options }: PredictorOptions,
  { part }: Opening,
): Promise<OpenedModel> {
  const what = `The SavedModel ${folder} holds a TensorFlow graph without layers`;
  if (runtime !== "auto" && runtime !== "tensorflow")
    throw new PredictError(
      `${what}, which the runtime ${runtime} does not read: leave the runtime out, or export the model as .onnx.`,
    );
  if (precision !== "float32")
    throw new PredictError(`${what}, which computes in its own precision, not ${precision}.`);
  if (execution !== undefined)
    throw new OptionError("predictor: expected no execution with a SavedModel's graph, which runs as it was written.");
  if (part !== undefined) throw new OptionError(`features: ${what}: it has no layer whose output could be given.`);
  await useTensorflow(what);
  const { loadSavedModel } = await import("@convkit/graph");
  const { savedModelMetadata } = await import("@convkit/weights");
  const metadata = savedModelMetadata(folder);
  const { preprocessing = metadata.preprocessing } = options;
  const loaded = await loadSavedModel(folder, { threads });
  try {
    const session = sessionOf(folder, loaded);
    const reason = "a SavedModel's graph runs on TensorFlow alone";
    const trials = runtime === "auto" ? onnxRuntimes.map((each) => ({ runtime: each, reason })) : [];
    const opened = openedModel(session, preprocessing, { runtime: "tensorflow", precision, trials });
    return { ...opened, metadata, classes: metadata.classes };
  } catch (error) {
    await loaded.dispose();
    throw error;
  }
}

/** Uses TensorFlow where no engine is in use yet. */
async function useTensorflow(what: string): Promise<void> {
  const { useEngine } = await import("@convkit/engine");
  const tf = await import("@tensorflow/tfjs-core");
  if (Object.keys(tf.engine().registryFactory).length === 0) await useEngine();
  if (tf.getBackend() === "tensorflow") return;
  throw new PredictError(
    `${what}, which needs TensorFlow, but this process computes with ${tf.getBackend()}: "convkit engine install" installs it, and useEngine("native") takes it.`,
  );
}

const inputTypes = ["float32", "int32", "uint8"];

function sessionOf(folder: string, loaded: LoadedSavedModel): Session {
  const { inputs, outputs } = loaded.signature;
  const ports = (tensors: typeof inputs): Port[] =>
    Object.entries(tensors).map(([name, { dtype, shape }]) => {
      if (shape === undefined)
        throw new PredictError(
          `The SavedModel ${folder} does not say how many axes ${name} has, which a prediction needs.`,
        );
      return { name, type: dtype, shape: shape.map((size) => (size < 0 ? null : size)) };
    });
  const taken = ports(inputs);
  const other = taken.find(({ type }) => !inputTypes.includes(type));
  if (other !== undefined)
    throw new PredictError(
      `The SavedModel ${folder} takes ${other.type} for ${other.name}; predictions give ${inputTypes.join(", ")}.`,
    );
  return {
    inputs: taken,
    outputs: ports(outputs),
    async run(feeds): Promise<Values[]> {
      const given = taken.map(({ name, type }, place) => {
        const { data, shape } = feeds[place]!;
        return [name, { data: valuesOf(type, data), shape: [...shape] }] as const;
      });
      const found = await loaded(Object.fromEntries(given));
      return Object.keys(outputs).map((name) => {
        const { data, shape } = found[name]!;
        return { data: data instanceof Float32Array ? data : Float32Array.from(data, Number), shape };
      });
    },
    dispose: () => loaded.dispose(),
  };
}

function valuesOf(type: string, data: Feed["data"]): Feed["data"] {
  if (type === "int32") return Int32Array.from(data);
  if (type === "uint8") return Uint8Array.from(data);
  return data instanceof Float32Array ? data : Float32Array.from(data);
}
