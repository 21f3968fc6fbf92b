import { type ImageFit, modelMetadata } from "@convkit/core";
import type { Feed, Values } from "@convkit/graph";
import { decodePredictions, type Prediction, type PredictorDescription } from "@convkit/predict";
import { classNames, endsInLogits, openablePredictor, type OpenedModel } from "@convkit/predict/internal";
import { createBatcher } from "../batching/batcher.ts";
import { stackRows } from "../batching/rows.ts";
import { busy, RequestError } from "../http/request-error.ts";
import type { Metrics } from "../metrics.ts";
import type { Port } from "../protocols/open-inference-body.ts";
import type { NamedImages, NamedInput, NamedTensor } from "../protocols/tensor.ts";
import type { WholeOptions } from "../serve-options.ts";
import { decodeImages } from "./decode-images.ts";
import type { ModelWithImages } from "./model-source.ts";

/** A version of a model that answers requests. */
export interface ServedModel {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Names of the classes; none where they are not known. */
  readonly classes: readonly string[];
  readonly description: PredictorDescription;
  /** Reserves a place for a request, or throws a 503; the returned function frees the place. */
  enter(): () => void;
  /** The outputs for tensors and image files by the inputs' names. Throws a 400 for what the model does not take. */
  predict(inputs: readonly NamedInput[], signal: AbortSignal): Promise<Values[]>;
  /** The most likely classes of an image file. */
  classify(file: Uint8Array, top: number, signal: AbortSignal): Promise<Prediction[]>;
  /** Waits for the requests inside, then frees the model. */
  retire(): Promise<void>;
}

/** How a model is opened. */
export interface OpenOptions {
  readonly name: string;
  readonly version: number;
  readonly options: WholeOptions;
  readonly metrics: Metrics;
  /** Whether the model is the server's, to dispose of. */
  readonly isOwn: boolean;
}

/** Opens a model in its runtime and runs it once at each size that it needs, so that no request waits for a compilation. */
export async function openServedModel(
  { model, images, classes, preprocessing }: ModelWithImages,
  { name, version, options, metrics, isOwn }: OpenOptions,
): Promise<ServedModel> {
  const { runtime, precision, threads, maxWaitMs, queue, pixelLimit } = options;
  const ownLayers = isOwn && typeof model !== "string" ? model : undefined;
  const opening = openablePredictor(
    "serve",
    model,
    { runtime, precision, threads, ...(preprocessing && { preprocessing }) },
    // A thread that spins takes its processor from requests that are read and images that are decoded.
    { spins: false },
  );
  const forward = opening.predictor;
  const { inputs, outputs, fit, names, logits } = await aboutModel(model, opening.open, { images, classes });
  const fixed = inputs[0]!.shape[0] ?? undefined;
  const maxBatch = fixed ?? options.maxBatch;
  const sample = inputs.map(({ shape }) => sampleOf(shape, fit.size));
  let description: PredictorDescription;
  let sizeOf = (rows: number): number => fixed ?? rows;
  try {
    await forward.predictAll(stackRows([sample], fixed ?? 1));
    description = forward.describe()!;
    // TensorFlow compiles a graph for each batch size: only powers of two, with rows of zeros behind the requests'.
    if (description.runtime === "tensorflow" && fixed === undefined)
      sizeOf = (rows) => Math.min(maxBatch, 2 ** Math.ceil(Math.log2(rows)));
    const sizes = new Set(description.runtime === "tensorflow" ? powersTo(maxBatch).map(sizeOf) : [maxBatch]);
    for (const size of sizes) await forward.predictAll(stackRows([sample], size));
    // OpenVINO and ONNX Runtime have a copy.
    if (isCopy(description)) ownLayers?.dispose();
  } catch (error) {
    await forward.dispose();
    ownLayers?.dispose();
    throw error;
  }
  const batcher = createBatcher({
    run: (feeds) => forward.predictAll(feeds),
    maxBatch,
    maxWaitMs,
    sizeOf,
    onBatch: (rows, waitedMs, ms) => metrics.onBatch(name, rows, waitedMs, ms),
  });

  let inside = 0;
  let whenEmpty: (() => void) | undefined;
  const predict = (feeds: readonly Feed[], signal: AbortSignal): Promise<Values[]> => batcher.run(feeds, signal);

  const decoded = (images: NamedImages): Promise<NamedTensor> => decodeImages(images, inputs, fit, pixelLimit);

  return {
    name,
    version,
    inputs,
    outputs,
    classes: names,
    description,
    enter() {
      if (inside >= queue) throw busy(`The model ${name} has ${inside} requests already: try again later.`);
      inside++;
      metrics.onInside(name, 1);
      return () => {
        inside--;
        metrics.onInside(name, -1);
        if (inside === 0) whenEmpty?.();
      };
    },
    async predict(given, signal) {
      const tensors = await Promise.all(given.map((each) => ("images" in each ? decoded(each) : each)));
      return predict(feedsOf(tensors, inputs, name), signal);
    },
    async classify(file, top, signal) {
      if (inputs.length !== 1 || outputs[0]!.shape.length !== 2 || inputs[0]!.shape.length !== 4)
        throw new RequestError(400, `The model ${name} does not take one image and end in classes: send it tensors.`);
      const { data, shape } = await decoded({ name: inputs[0]!.name, images: [file] });
      const [scores] = await predict([{ data, shape }], signal);
      if (!scores!.data.every(Number.isFinite))
        throw new RequestError(500, "The model's output has values that are not finite, which JSON cannot hold.");
      return decodePredictions(scores!, { top, classes: names, logits })[0]!;
    },
    async retire() {
      if (inside > 0) await new Promise<void>((resolve) => (whenEmpty = resolve));
      await forward.dispose();
      if (!isCopy(description)) ownLayers?.dispose();
    },
  };
}

/** True where the runtime has a copy of the model. */
function isCopy({ runtime }: PredictorDescription): boolean {
  return runtime === "openvino" || runtime === "onnxruntime";
}

interface AboutModel extends Pick<ServedModel, "inputs" | "outputs"> {
  readonly fit: ImageFit;
  readonly names: readonly string[];
  readonly logits: boolean | undefined;
}

/** What is known of a model's ports, images and classes; the file of a model that only predicts is opened for it. */
async function aboutModel(
  model: ModelWithImages["model"],
  open: () => Promise<OpenedModel>,
  { images, classes }: Pick<ModelWithImages, "images" | "classes">,
): Promise<AboutModel> {
  if (typeof model === "string") {
    const { description, metadata, classes: known, logits } = await open();
    const { inputs, outputs } = description;
    return { inputs, outputs, fit: images ?? metadata.images ?? {}, names: classes ?? known ?? [], logits };
  }
  const ports = (names: readonly string[], tensors: readonly { readonly shape: readonly (number | null)[] }[]) =>
    tensors.map(({ shape }, place) => ({ name: names[place]!, shape: [...shape] }));
  return {
    inputs: ports(model.inputNames, model.inputs),
    outputs: ports(model.outputNames, model.outputs),
    fit: images ?? modelMetadata(model).images ?? {},
    names: classes ?? classNames(model) ?? [],
    logits: endsInLogits(model),
  };
}

/** One row of zeros for an input; any size becomes the size of the model's images, else 224 for images and 1 elsewhere. */
function sampleOf(shape: readonly (number | null)[], size: readonly [number, number] = [224, 224]): Feed {
  const isImage = shape.length === 4;
  const row = shape.slice(1).map((each, axis) => each ?? (isImage && axis < 2 ? size[axis]! : 1));
  const data = new Float32Array(row.reduce((product, each) => product * each, 1));
  return { data, shape: [1, ...row] };
}

function powersTo(most: number): number[] {
  return Array.from({ length: Math.ceil(Math.log2(most)) + 1 }, (_, power) => Math.min(most, 2 ** power));
}

/** The tensors in the order of the model's inputs. */
function feedsOf(tensors: readonly NamedTensor[], inputs: readonly Port[], model: string): Feed[] {
  const wanted = inputs.map(({ name }) => name).join(", ");
  const given = tensors.map(({ name }) => name);
  const unknown = given.find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined || given.length !== inputs.length || new Set(given).size !== given.length)
    throw new RequestError(
      400,
      `The model ${model} takes the inputs ${wanted}, got ${given.map((name) => `"${name.slice(0, 80)}"`).join(", ")}.`,
    );
  const feeds = inputs.map(({ name, shape }) => {
    const { data, shape: found } = tensors.find((tensor) => tensor.name === name)!;
    const fits = found.length === shape.length && shape.every((size, i) => i === 0 || (size ?? found[i]) === found[i]);
    if (!fits || found.includes(0))
      throw new RequestError(
        400,
        `The input ${name} has the shape ${["any", ...shape.slice(1).map((size) => size ?? "any")].join("x")}, with one row or more; got ${found.join("x") || "a single number"}.`,
      );
    return { data, shape: [...found] };
  });
  if (feeds.some(({ shape }) => shape[0] !== feeds[0]!.shape[0]))
    throw new RequestError(
      400,
      `The inputs ${wanted} need as many rows each, got ${feeds.map((f) => f.shape[0]).join(", ")}.`,
    );
  return feeds;
}
