import type { ImageFit, Preprocessing } from "@convkit/core";
import { checkModel } from "@convkit/core/plain";
import { checkOptions, OptionError, shown, type OptionNames } from "@convkit/errors";
import type { ExecutionOptions, Feed } from "@convkit/graph";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import { imagePixels, isTensor, type ImageSource, type WantedImage } from "./image-pixels.ts";
import { checkTop, decodePredictions, type Prediction } from "./prediction.ts";
import { openablePredictor } from "./predictor.ts";
import type { PredictorOptions } from "./predictor-options.ts";
import type { Port } from "./runtimes/session.ts";
import { isModelFile, type PredictorSource } from "./sources/predictor-source.ts";

/** Options of `classifier`; by default the model's metadata says all of them. */
export interface ClassifierOptions {
  /**
   * Names of the classes, in the order of the outputs; by default as the model's metadata says, else ImageNet's for a
   * published network of 1,000 outputs, else numbers.
   */
  readonly classes?: readonly string[] | undefined;
  /**
   * From pixels (0 to 255) to the model's input; by default as the model's metadata says, else the pixels unchanged.
   */
  readonly preprocessing?: Preprocessing | undefined;
  /**
   * How image files are resized, cropped and turned; by default as the model's metadata says, else stretched to the
   * model's size and turned upright.
   */
  readonly images?: ImageFit | undefined;
  /** What computes, as in `predictor`; for a model the engine in use by default, for a path `auto`. */
  readonly runtime?: PredictorOptions["runtime"];
  /** The network of a file that holds weights alone, as in `predictor`; by default the file holds its network. */
  readonly network?: PredictorOptions["network"];
  /** The number format of the computations; `float32` by default. */
  readonly precision?: PredictorOptions["precision"];
  /** Threads of one prediction; by default as many as the runtime takes. */
  readonly threads?: PredictorOptions["threads"];
  /**
   * Determinism, seed and notices on tfjs' engine, by default as in `compile`; `eager: true` runs op by op, as
   * `classify` does by default with up to 32 images.
   */
  readonly execution?: ExecutionOptions | undefined;
}

/** Options of one classification. */
export interface TopOptions {
  /** How many classes to give for each image, the most likely first; 5 by default. */
  readonly top?: number | undefined;
}

/** Options of `classify`. */
export interface ClassifyOptions extends ClassifierOptions, TopOptions {}

/** A model that is ready to classify images. */
export interface Classifier {
  /** The most likely classes of an image. */
  classify(image: ImageSource, options?: TopOptions): Promise<Prediction[]>;
  /** The most likely classes of each image: a list, or a tensor `[n, h, w, c]`. */
  classify(images: readonly ImageSource[] | Tensor4D, options?: TopOptions): Promise<Prediction[][]>;
  /** Frees the compiled functions, but not the model. */
  dispose(): Promise<void>;
}

const classifierNames: OptionNames<ClassifierOptions> = {
  classes: true,
  preprocessing: true,
  images: true,
  runtime: true,
  network: true,
  precision: true,
  threads: true,
  execution: true,
};

/** Images that go through the model at once. */
const batch = 32;

/**
 * A classifier of a model, or of what `predictor` opens, for many calls. Classes, preprocessing and resizing are those that the model
 * carries (`modelMetadata`).
 *
 * Throws an `OptionError` for a model whose output names no classes (its calls reject, for a file), and for unknown options.
 */
export function classifier(model: PredictorSource, options: ClassifierOptions = {}): Classifier {
  return classifierFor("classifier", model, options);
}

/**
 * The names and probabilities of an image's most likely classes, the most likely first:
 * `await classify(model, "photo.jpg", { top: 3 })`. An image is a file's path, URL or bytes, a tensor or pixels; a list gives a list.
 * Classes, preprocessing and resizing are those that the model carries. For many calls, `classifier` is faster.
 *
 * Rejects with an `OptionError` for a model whose output names no classes, for what is no image, and for unknown options; with a
 * `DataError` for a file that cannot be decoded.
 */
export async function classify(
  model: PredictorSource,
  image: ImageSource,
  options?: ClassifyOptions,
): Promise<Prediction[]>;
export async function classify(
  model: PredictorSource,
  images: readonly ImageSource[] | Tensor4D,
  options?: ClassifyOptions,
): Promise<Prediction[][]>;
export async function classify(
  model: PredictorSource,
  images: ImageSource | readonly ImageSource[] | Tensor4D,
  options: ClassifyOptions = {},
): Promise<Prediction[] | Prediction[][]> {
  checkOptions("classify", options, { ...classifierNames, top: true });
  const { top, execution, ...rest } = options;
  const count = isTensor(images) ? (images.rank === 4 ? images.shape[0]! : 1) : [images].flat().length;
  const isLarge = count > batch;
  // To compile takes longer than to run a batch or less.
  const isPlain =
    !isModelFile(model) &&
    rest.runtime === undefined &&
    rest.threads === undefined &&
    (rest.precision ?? "float32") === "float32";
  const eager = !isLarge && isPlain;
  const once = classifierFor("classify", model, { ...rest, execution: eager ? { eager, ...execution } : execution });
  try {
    return await once.classify(images as ImageSource, { top });
  } finally {
    await once.dispose();
  }
}

function classifierFor(where: string, model: PredictorSource, options: ClassifierOptions): Classifier {
  checkOptions(where, options, classifierNames);
  if (!isModelFile(model)) {
    checkModel(where, model);
    checkShapes(where, model.name, model.inputs[0]?.shape, model.outputs[0]?.shape);
  }
  const { images, classes, ...computing } = options;
  const { predictor: forward, open } = openablePredictor(where, model, computing);
  const classifyAll = async (given: readonly ImageSource[], top: number): Promise<Prediction[][]> => {
    const { description, metadata, classes: known = [], logits } = await open();
    const shape = imageShape(where, typeof model === "string" ? model : "the model", description);
    const wanted: WantedImage = { where, shape, fit: images ?? metadata.images ?? {} };
    const answers: Prediction[][] = [];
    for (let from = 0; from < given.length; from += batch) {
      const pixels = await Promise.all(given.slice(from, from + batch).map((image) => imagePixels(image, wanted)));
      for (const group of ofOneShape(pixels)) {
        const scores = await forward.predict(stacked(group));
        answers.push(...decodePredictions(scores, { top, classes: classes ?? known, logits }));
      }
    }
    return answers;
  };
  const classifyImages = async (
    given: ImageSource | readonly ImageSource[] | Tensor4D,
    { top = 5, ...rest }: TopOptions = {},
  ): Promise<Prediction[] | Prediction[][]> => {
    checkOptions(where, rest, {});
    checkTop(where, top);
    if (isTensor(given) && given.rank === 4) return classifyAll(await imagesOf(given), top);
    if (Array.isArray(given)) return classifyAll(given as readonly ImageSource[], top);
    return (await classifyAll([given as ImageSource], top))[0]!;
  };
  return { classify: classifyImages as Classifier["classify"], dispose: () => forward.dispose() };
}

/** Throws an `OptionError` unless a model takes images and gives classes. */
function checkShapes(where: string, name: string, input: Port["shape"] = [], output: Port["shape"] = []): void {
  if (input.length !== 4) {
    throw new OptionError(`${where}: expected a model of images, but ${name} takes the shape ${shown(input)}.`);
  }
  if (output.length !== 2) {
    throw new OptionError(
      `${where}: expected a model that ends in classes, but the output of ${name} has the shape ${shown(output)}; add a head: replaceHead(model, 5).`,
    );
  }
}

function imageShape(
  where: string,
  name: string,
  { inputs, outputs }: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] },
): WantedImage["shape"] {
  checkShapes(where, name, inputs[0]?.shape, outputs[0]?.shape);
  const [, height, width, channels] = inputs[0]!.shape as [null, number | null, number | null, number];
  return [height, width, channels];
}

/** The images of a batch, one after the other. */
async function imagesOf(images: Tensor): Promise<Feed[]> {
  const [count = 0, ...shape] = images.shape;
  const data = await images.data<"float32">();
  const size = data.length / Math.max(count, 1);
  return Array.from({ length: count }, (_, i) => ({ data: data.subarray(i * size, (i + 1) * size), shape }));
}

/** Neighbors of one shape, in their order. */
function ofOneShape(images: readonly Feed[]): Feed[][] {
  const groups: Feed[][] = [];
  for (const image of images) {
    const group = groups.at(-1);
    if (group !== undefined && String(group[0]!.shape) === String(image.shape)) group.push(image);
    else groups.push([image]);
  }
  return groups;
}

/** `[h, w, c]` of each image to `[n, h, w, c]`; bytes stay bytes. */
function stacked(images: readonly Feed[]): Feed {
  const areBytes = images.every(({ data }) => data instanceof Uint8Array);
  const size = images[0]!.data.length;
  const data = new (areBytes ? Uint8Array : Float32Array)(size * images.length);
  for (const [place, image] of images.entries()) data.set(image.data, place * size);
  return { data, shape: [images.length, ...images[0]!.shape] };
}
