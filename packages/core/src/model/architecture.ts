import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Block } from "../block/block.ts";
import { type RandomDepth, withRandomDepth } from "../block/random-depth.ts";
import { dropBlock } from "../layers/drop-block.ts";
import { droppedSamples } from "../layers/dropout.ts";
import { withNewNames } from "../block/names.ts";
import { withSeed } from "../init/initializers.ts";
import { checkModel } from "./check-model.ts";
import { checkCount, checkRate } from "../layers/check-window.ts";
import { globalAvgPool, globalMaxPool } from "../layers/pooling/pooling.ts";
import { checkEngine } from "../tfjs/engine-in-use.ts";
import { type NamedClass, registerClasses } from "../tfjs/register-classes.ts";
import { modelMetadata, setModelMetadata } from "../metadata/metadata.ts";
import type { ModelMetadata } from "../metadata/metadata.ts";
import { layerOutput } from "../inspect/model-graph.ts";
import { stageEnds } from "../inspect/stage-ends.ts";
import { preprocessingFor } from "../metadata/preprocessing.ts";
import type { Preprocessing } from "../metadata/preprocessing.ts";

/** Height, width, channels. A height or width of null takes images of any size. */
export type ImageShape = readonly [height: number | null, width: number | null, channels: number];

/** The source of an architecture's definition. */
export type Source = "keras" | "torchvision" | "timm" | "paper" | "notebook";

/** A published network as plain data; the numbers hold for `input` and `classes`, and tests check them. */
export interface Architecture {
  readonly name: string;
  /** The source of the definition; missing for a user's own network. */
  readonly source?: Source | undefined;
  /** Authors, year, title, link. */
  readonly paper: string;
  readonly input: readonly [height: number, width: number, channels: number];
  /** The smallest height and width, in pixels. */
  readonly smallest: number;
  readonly classes: number;
  /** Number of weights, the moving statistics of batch norms included. */
  readonly params: number;
  readonly trainable: number;
  /** Multiply-adds of one image: convolutions and dense layers. */
  readonly macs: number;
  /** How pixels become the input. */
  readonly preprocessing: Preprocessing;
  /** The layers from the input to the last feature map. */
  readonly body: Block;
  /** The layers from the feature map to the classes. */
  readonly head: (options: HeadOptions) => Block;
  /** Auxiliary classifiers, for training only, by the name of the layer that feeds them; none by default. */
  readonly aux?: Readonly<Record<string, (options: HeadOptions) => Block>> | undefined;
  /** Number of weights with the auxiliary classifiers; missing without them. */
  readonly paramsWithAux?: number | undefined;
  /** Factor for each auxiliary classifier's loss, 1 by default; the main loss has factor 1. */
  readonly auxLossWeight?: number | undefined;
  /**
   * Names of the layers that end its stages, for `features`; by default they follow from the graph. Needed only where
   * a stage's block begins with layers that stand alone on the way (an inverted residual's expansion, DenseNet's
   * transition).
   */
  readonly stages?: readonly string[] | undefined;
  /**
   * Published accuracy in percent on ImageNet's validation images, one crop; on CIFAR-10's test images for its
   * networks. Missing if none was published.
   */
  readonly accuracy?: Accuracy | undefined;
  /** The page of trained weights and their license; missing if there are none. */
  readonly weights?: { readonly source: string; readonly license: string } | undefined;
  /** Augmentation that the network's source recommends; none by default. */
  readonly augmentation?: RecommendedAugmentation | undefined;
  /** The differences from the paper, or from another source's network of the same name; missing if there are none. */
  readonly differs?: string | undefined;
}

export interface Accuracy {
  readonly top1: number;
  /** Percent of images whose class is among the five most likely; missing if the source does not state it. */
  readonly top5?: number | undefined;
  /** The page or paper with these numbers. */
  readonly source: string;
}

/** Random changes of training images that a network's source recommends. */
export interface RecommendedAugmentation {
  /** Mirrors images left and right; by default they are not mirrored. */
  readonly flip?: "horizontal" | undefined;
  /** Largest rotation as a share of a full turn; none by default. */
  readonly rotation?: number | undefined;
  /** Largest change of size as a share; none by default. */
  readonly zoom?: number | undefined;
}

export interface HeadOptions {
  readonly classes: number;
  /** True omits the softmax (or sigmoid). */
  readonly logits: boolean;
  /** Rate of the head's dropout; the architecture's own by default. */
  readonly dropout?: number | undefined;
}

export interface BuildOptions {
  /** Number of classes; the architecture's own by default. */
  readonly classes?: number | undefined;
  /**
   * Height, width and channels; the architecture's own by default. `[null, null, 3]` takes images of any size where
   * the head allows it.
   */
  readonly input?: ImageShape | undefined;
  /** Whether the model includes the classifier (true, the default) or ends at the feature map. */
  readonly includeTop?: boolean | undefined;
  /** Without the top: a mean or a maximum per channel, or the feature map unchanged ("none", the default). */
  readonly pooling?: "avg" | "max" | "none" | undefined;
  /** Adds the auxiliary classifiers as further outputs, for training; false by default. */
  readonly aux?: boolean | undefined;
  /** Rate of the head's dropout, for every network of the zoo; the architecture's own by default. */
  readonly dropout?: number | undefined;
  /**
   * Stochastic depth of the residual sums, for every network that has some: the chance that training leaves out the main path of the
   * last, rising linearly from 0 at the first. The architecture's own by default, mostly none. Huang et al. 2016, https://arxiv.org/abs/1603.09382
   */
  readonly dropPath?: number | undefined;
  /** Rate of DropBlock in the last two stages of ResNets, as in timm; none by default. Ghiasi et al. 2018, https://arxiv.org/abs/1810.12890 */
  readonly dropBlock?: number | undefined;
  /** Ends in logits instead of probabilities; false by default. */
  readonly logits?: boolean | undefined;
  /** Seed of the initial weights, which depend only on it and the layers' names; 0 by default. */
  readonly seed?: number | undefined;
}

const names: OptionNames<BuildOptions> = {
  classes: true,
  input: true,
  includeTop: true,
  pooling: true,
  aux: true,
  dropout: true,
  dropPath: true,
  dropBlock: true,
  logits: true,
  seed: true,
};

/** Names of the options that `build` takes. */
export const buildOptions = Object.keys(names) as readonly (keyof BuildOptions)[];

/**
 * A tfjs model of the architecture with fresh weights: `[n, h, w, c] -> [n, classes]`. The model carries the architecture's
 * name and preprocessing (`modelMetadata`).
 *
 * Throws an `OptionError` for options that make no sense: an input too small, no classes, unknown words.
 */
export function build(architecture: Architecture, options: BuildOptions = {}): tfl.LayersModel {
  checkArchitecture(architecture);
  checkBuildOptions(architecture, options);
  checkEngine(architecture.name);
  const { includeTop = true, pooling = "none", aux = false, seed = 0, logits = false, dropout } = options;
  const input: ImageShape = options.input ?? architecture.input;
  const head = { classes: options.classes ?? architecture.classes, logits, dropout };
  let { stages } = architecture;
  const model = withSeed(seed, () =>
    withNewNames(() => {
      const x = tfjs.input({ shape: [...input], name: "input_layer" });
      const map = withRandomDepth(architecture.name, depthOf(options), input, () => architecture.body(x, ""));
      const { name } = architecture;
      stages ??= stageEnds(tfjs.model({ inputs: x, outputs: map })).map(({ layer }) => layer);
      if (!includeTop) return tfjs.model({ inputs: x, outputs: pooled(pooling)(map, ""), name });
      const y = architecture.head(head)(map, "");
      const main = tfjs.model({ inputs: x, outputs: y, name });
      checkDropout(main, dropout);
      if (!aux) return main;
      const others = Object.entries(architecture.aux ?? {}).map(([at, block], i) =>
        block(head)(layerOutput(main, at), `aux${i + 1}`),
      );
      return tfjs.model({ inputs: x, outputs: [y, ...others], name });
    }),
  );
  registerClasses(model.layers.map((layer) => layer.constructor as unknown as NamedClass));
  return setModelMetadata(model, { ...metadataOf(architecture, input, model.outputs.length), stages });
}

function depthOf({ dropPath, dropBlock: rate }: BuildOptions): RandomDepth {
  const make = { path: (chance: number) => droppedSamples(chance), block: dropBlock };
  return { dropPath, dropBlock: rate, make };
}

function metadataOf(architecture: Architecture, input: ImageShape, outputs: number): ModelMetadata {
  const { name, source, preprocessing, auxLossWeight } = architecture;
  const [height, width] = architecture.input;
  return {
    architecture: name,
    source,
    images: { size: [input[0] ?? height, input[1] ?? width] },
    preprocessing: preprocessingFor(preprocessing, input[2]),
    ...(outputs > 1 && auxLossWeight !== undefined
      ? { outputWeights: Array.from({ length: outputs }, (_, i) => (i === 0 ? 1 : auxLossWeight)) }
      : {}),
  };
}

/** The activation at the end of a classifier: softmax for several classes, a sigmoid for one, none for logits. */
export function classActivation({ classes, logits }: HeadOptions): "linear" | "sigmoid" | "softmax" {
  if (logits) return "linear";
  return classes === 1 ? "sigmoid" : "softmax";
}

/** The network for inference: only the main output, with shared weights. */
export function withoutAux(model: tfl.LayersModel): tfl.LayersModel {
  checkModel("withoutAux", model);
  const [main] = model.outputs;
  if (main === undefined || model.outputs.length === 1) return model;
  const { outputWeights: _, ...metadata } = modelMetadata(model);
  return setModelMetadata(tfjs.model({ inputs: model.inputs, outputs: main, name: model.name }), metadata);
}

function pooled(pooling: "avg" | "max" | "none"): Block {
  if (pooling === "none") return (x) => x;
  const [block, name] =
    pooling === "avg" ? [globalAvgPool(), "global_average_pooling2d"] : [globalMaxPool(), "global_max_pooling2d"];
  return (x) => block(x, name);
}

function checkArchitecture(architecture: Architecture): void {
  if (typeof architecture?.body !== "function" || typeof architecture.head !== "function") {
    throw new OptionError(
      `build: expected an architecture with a name, an input, a body and a head, got ${shown(architecture)}.`,
    );
  }
}

function checkBuildOptions(architecture: Architecture, options: BuildOptions): void {
  const { name } = architecture;
  checkOptions(name, options, names);
  const { classes, input, includeTop = true, pooling, aux = false, seed } = options;
  if (classes !== undefined) checkCount(name, "classes", classes);
  if (input !== undefined) checkInput(architecture, input);
  if (pooling !== undefined && !["avg", "max", "none"].includes(pooling)) {
    throw new OptionError(`${name}: expected pooling to be "avg", "max" or "none", got ${shown(pooling)}.`);
  }
  if (pooling !== undefined && pooling !== "none" && includeTop) {
    throw new OptionError(`${name}: pooling "${pooling}" is for a network without its top; add includeTop: false.`);
  }
  const ofTop = includeTop
    ? []
    : (["classes", "dropout", "logits"] as const).filter((each) => options[each] !== undefined);
  if (ofTop.length > 0) {
    throw new OptionError(
      `${name}: ${ofTop.join(", ")} ${ofTop.length === 1 ? "is" : "are"} for the top, which includeTop: false leaves out; leave it out too, or add a head of your own: replaceHead(model, 5).`,
    );
  }
  if (aux && (architecture.aux === undefined || !includeTop)) {
    const why = architecture.aux === undefined ? "this network has none" : "they need the top";
    throw new OptionError(`${name}: expected no auxiliary classifiers, since ${why}; leave aux out.`);
  }
  for (const rate of ["dropout", "dropPath", "dropBlock"] as const)
    if (options[rate] !== undefined) checkRate(name, rate, options[rate]);
  if (seed !== undefined && !Number.isInteger(seed)) {
    throw new OptionError(`${name}: expected seed to be a whole number, got ${shown(seed)}.`);
  }
}

/** Throws if the head of a network has no dropout that takes the given rate. */
function checkDropout({ name, layers }: tfl.LayersModel, dropout: number | undefined): void {
  if (dropout === undefined || dropout === 0) return;
  // A nested model may hold the dropout.
  const takes = (layer: tfl.layers.Layer): boolean =>
    (layer.getClassName() === "Dropout" && layer.getConfig()["rate"] === dropout) || "layers" in layer;
  if (layers.some(takes)) return;
  throw new OptionError(`${name}: expected no dropout, since the head of this network has none; leave dropout out.`);
}

function checkInput({ name, smallest }: Architecture, input: ImageShape): void {
  const isLength = (size: unknown): boolean => Number.isInteger(size) && (size as number) > 0;
  const isShape =
    Array.isArray(input) &&
    input.length === 3 &&
    isLength(input[2]) &&
    input.every((size) => size === null || isLength(size));
  if (!isShape) {
    throw new OptionError(
      `${name}: expected input as [height, width, channels], got ${shown(input)}; a height or width may be null.`,
    );
  }
  const [height, width] = input;
  if ((height ?? smallest) < smallest || (width ?? smallest) < smallest) {
    throw new OptionError(
      `${name}: expected an input of at least ${smallest}x${smallest} pixels, got ${height ?? "any"}x${width ?? "any"}.`,
    );
  }
}
