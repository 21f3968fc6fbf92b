import type * as tf from "@tensorflow/tfjs-core";
import type { HuberOptions } from "./distances.ts";
import type { BinaryFocalOptions } from "./losses.ts";
import type { Reduction } from "./reduction.ts";
import type { TripletOptions } from "./triplet.ts";

/** The losses that plans can name. */
export const lossNames = [
  "sparse-categorical-crossentropy",
  "categorical-crossentropy",
  "binary-crossentropy",
  "focal",
  "mse",
  "mae",
  "huber",
  "cosine-similarity",
  "kl-divergence",
  "triplet-semi-hard",
  "triplet-hard",
] as const;

/** The name of a loss. */
export type LossName = (typeof lossNames)[number];

/** A loss as plain data. `focal` is the categorical one for classes, and the binary one for labels and one output. */
export interface Loss extends Omit<BinaryFocalOptions, "fromLogits">, HuberOptions, TripletOptions {
  readonly name: LossName;
  /** How the losses of a batch become one number; their mean by default. */
  readonly reduction?: Reduction | undefined;
}

/**
 * A loss of the user's: one value for each example. `yTrue` is `[n]` class numbers (`[n, classes]` with mixup), or the
 * target's `[n, ...]`; `yPred` is the model's output as the model declares it, with its softmax or sigmoid.
 */
export type LossFunction = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;

/** A loss of the user's, with its reduction. */
export interface OwnLoss {
  readonly fn: LossFunction;
  /** How the losses of a batch become one number; their mean by default. */
  readonly reduction?: Reduction | undefined;
}

/** A loss by name, as plain data, or as a function. */
export type LossSpec = LossName | Loss | LossFunction | OwnLoss;

/** One loss for all outputs, or one for each output by its name. */
export type LossOption = LossSpec | Readonly<Record<string, LossSpec>>;

/** True for losses that are given as functions. */
export function isOwn(loss: Loss | OwnLoss): loss is OwnLoss {
  return "fn" in loss;
}

/** The full form of a loss. */
export function fullLoss(spec: LossSpec): Loss | OwnLoss {
  if (typeof spec === "string") return { name: spec };
  return typeof spec === "function" ? { fn: spec } : spec;
}

/** True for a dictionary of losses by the names of outputs. */
export function isByOutput(option: LossOption): option is Readonly<Record<string, LossSpec>> {
  return typeof option === "object" && option !== null && !("fn" in option) && typeof option.name !== "string";
}

/** The names of a loss, for messages. */
export function lossText(loss: Loss | OwnLoss): string {
  if (!isOwn(loss)) return loss.name;
  return loss.fn.name === "" ? "the given loss" : `the loss ${loss.fn.name}`;
}
