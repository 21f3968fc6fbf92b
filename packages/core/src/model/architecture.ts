import * as tfl from "@tensorflow/tfjs-layers";
import type { Block } from "../block/block.ts";
import { withSeed } from "../init/initializers.ts";
import { layerOutput } from "./model-graph.ts";
import { globalAvgPool, globalMaxPool } from "../layers/pooling/pooling.ts";
import { modelMetadata, setModelMetadata } from "./metadata.ts";
import { preprocessingFor } from "./preprocessing.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { registerLayers } from "../layers/register.ts";

/** Height, width, channels. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** A published network as plain data; the numbers are those of `input` and `classes`, and tests hold them. */
export interface Architecture {
  readonly name: string;
  /** Authors, year, title, link. */
  readonly paper: string;
  readonly input: ImageShape;
  /** Smallest height and width that it takes. */
  readonly smallest: number;
  readonly classes: number;
  /** All weights, batch norm's moving statistics too. */
  readonly params: number;
  readonly trainable: number;
  /** Multiply-adds of one image: convolutions and dense layers. */
  readonly macs: number;
  /** From pixels to the input. */
  readonly preprocessing: Preprocessing;
  /** The network up to its last feature map. */
  readonly body: Block;
  /** From the feature map to the classes. */
  readonly head: (options: HeadOptions) => Block;
  /** Classifiers on the way, by the layer whose output they take: for training only. */
  readonly aux?: Readonly<Record<string, (options: HeadOptions) => Block>>;
  /** All weights, those of the auxiliary classifiers too. */
  readonly paramsWithAux?: number;
  /** What the loss of each of them counts beside the main one's. */
  readonly auxLossWeight?: number;
  /** Accuracy on ImageNet's validation images as published, in percent; or error on CIFAR-10's test images. */
  readonly published?: Published;
  /** Where trained weights are known to be, and under which licence. */
  readonly weights?: { readonly source: string; readonly licence: string };
  /** What the network's source recommends to do to training images. */
  readonly augmentation?: { readonly flip?: "horizontal"; readonly rotation?: number; readonly zoom?: number };
  /** Where it departs from the paper or from a peer of the same name. */
  readonly differs?: string;
}

export interface Published {
  readonly top1?: number;
  readonly top5?: number;
  readonly source: string;
}

export interface HeadOptions {
  readonly classes: number;
  /** Leave the softmax (or sigmoid) away. */
  readonly logits: boolean;
  /** Instead of the architecture's own rate. */
  readonly dropout?: number;
}

export interface BuildOptions {
  classes?: number;
  input?: ImageShape;
  /** With the classifier (default), or ending at the feature map. */
  includeTop?: boolean;
  /** Without the top: a mean or a maximum per channel, or the feature map as it is. */
  pooling?: "avg" | "max" | "none";
  /** With the auxiliary classifiers, as further outputs: for training. */
  aux?: boolean;
  /** Rate of the head's dropout instead of the architecture's own. */
  dropout?: number;
  /** End in logits instead of probabilities. */
  logits?: boolean;
  /** Fresh weights follow from this number and the layers' names alone. */
  seed?: number;
}

/** What `build` takes. */
export const buildOptions = [
  "classes",
  "input",
  "includeTop",
  "pooling",
  "aux",
  "dropout",
  "logits",
  "seed",
] as const satisfies readonly (keyof BuildOptions)[];

/**
 * A tfjs model of the architecture with fresh weights: `[n, h, w, c] -> [n, classes]`.
 *
 * Throws on options that make no sense, naming what was expected: an input too small, no classes, unknown words.
 */
export function build(architecture: Architecture, options: BuildOptions = {}): tfl.LayersModel {
  checkOptions(architecture, options);
  const { input = architecture.input, includeTop = true, pooling = "none", aux = false, seed = 0 } = options;
  const head: HeadOptions = {
    classes: options.classes ?? architecture.classes,
    logits: options.logits ?? false,
    ...(options.dropout === undefined ? {} : { dropout: options.dropout }),
  };
  registerLayers();
  const model = withSeed(seed, () => {
    const x = tfl.input({ shape: [...input], name: "input_layer" });
    const map = architecture.body(x, "");
    if (!includeTop) return tfl.model({ inputs: x, outputs: pooled(pooling)(map, ""), name: architecture.name });
    const y = architecture.head(head)(map, "");
    if (!aux) return tfl.model({ inputs: x, outputs: y, name: architecture.name });
    const main = tfl.model({ inputs: x, outputs: y, name: architecture.name });
    const others = Object.entries(architecture.aux ?? {}).map(([at, block], i) =>
      block(head)(layerOutput(main, at), `aux${i + 1}`),
    );
    return tfl.model({ inputs: x, outputs: [y, ...others], name: architecture.name });
  });
  const { auxLossWeight } = architecture;
  return setModelMetadata(model, {
    architecture: architecture.name,
    images: { size: [input[0], input[1]] },
    preprocessing: preprocessingFor(architecture.preprocessing, input[2]),
    ...(aux && auxLossWeight !== undefined
      ? { outputWeights: model.outputs.map((_, i) => (i === 0 ? 1 : auxLossWeight)) }
      : {}),
  });
}

/** The end of a classifier: softmax over two classes or more, a sigmoid for one, nothing for logits. */
export function classActivation({ classes, logits }: HeadOptions): "linear" | "sigmoid" | "softmax" {
  if (logits) return "linear";
  return classes === 1 ? "sigmoid" : "softmax";
}

/** The same network for inference: the main output alone, its weights shared. */
export function withoutAux(model: tfl.LayersModel): tfl.LayersModel {
  const [main] = model.outputs;
  if (main === undefined || model.outputs.length === 1) return model;
  const { outputWeights: _, ...metadata } = modelMetadata(model);
  return setModelMetadata(tfl.model({ inputs: model.inputs, outputs: main, name: model.name }), metadata);
}

function pooled(pooling: "avg" | "max" | "none"): Block {
  if (pooling === "none") return (x) => x;
  const [block, name] =
    pooling === "avg" ? [globalAvgPool(), "global_average_pooling2d"] : [globalMaxPool(), "global_max_pooling2d"];
  return (x) => block(x, name);
}

function checkOptions(architecture: Architecture, options: BuildOptions): void {
  const { name, smallest } = architecture;
  const unknown = Object.keys(options).filter((key) => !(buildOptions as readonly string[]).includes(key));
  if (unknown.length > 0) {
    throw new Error(`${name}: unknown option ${unknown.join(", ")}; expected ${buildOptions.join(", ")}`);
  }
  const { classes, input, includeTop = true, pooling, aux = false, dropout, seed } = options;
  if (classes !== undefined && (!Number.isInteger(classes) || classes < 1)) {
    throw new Error(`${name}: expected classes to be a whole number from 1 on, got ${classes}`);
  }
  if (input !== undefined) {
    if (input.length !== 3 || input.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new Error(`${name}: expected input as [height, width, channels], got [${input.join(", ")}]`);
    }
    const [height, width] = input;
    if (height < smallest || width < smallest) {
      throw new Error(`${name}: expected an input of at least ${smallest}x${smallest} pixels, got ${height}x${width}`);
    }
  }
  if (pooling !== undefined && !["avg", "max", "none"].includes(pooling)) {
    throw new Error(`${name}: expected pooling to be avg, max or none, got ${String(pooling)}`);
  }
  if (pooling !== undefined && pooling !== "none" && includeTop) {
    throw new Error(`${name}: pooling "${pooling}" is for a network without its top; add includeTop: false`);
  }
  if (aux && (architecture.aux === undefined || !includeTop)) {
    const why = architecture.aux === undefined ? "this network has none" : "they need the top";
    throw new Error(`${name}: expected no auxiliary classifiers, since ${why}; leave aux out`);
  }
  if (dropout !== undefined && !(dropout >= 0 && dropout < 1)) {
    throw new Error(`${name}: expected dropout from 0 to below 1, got ${dropout}`);
  }
  if (seed !== undefined && !Number.isInteger(seed))
    throw new Error(`${name}: expected seed to be a whole number, got ${seed}`);
}
