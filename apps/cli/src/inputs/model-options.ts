import { choice, flag, flagOf, negated, offering, type OptionOf, size, text, whole } from "../terminal/option.ts";
import type { PreprocessingKind } from "./preprocessing-option.ts";
import { networkNames } from "./known-names.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** The options of a network of the zoo that has a classifier. */
export const headOptions = {
  classes: whole(1, "<n>", "number of classes of the network"),
  pooling: choice(["avg", "max", "none"], "<kind>", "pooling of a network without its top"),
  aux: flag("with the auxiliary classifiers"),
  weights: offering(text("<file>", "file of trained weights, or imagenet for the published ones"), async () => [
    "imagenet",
  ]),
  arch: offering(text("<name>", "the network that a file of weights belongs to"), networkNames),
  adaptChannels: flag("sums or repeats the channels of the weights' first convolution, as timm does"),
  state: text("<name>", "which weights of a PyTorch checkpoint, such as model_ema"),
};

/** The options of a network of the zoo, except its image size. */
export const architectureOptions = { ...headOptions, top: negated("ends at the feature map") };

/** The options of a network of the zoo. */
export const modelOptions = { ...architectureOptions, input: size("image size") };

/** Channels of each level of unet. */
export const widthsOption: OptionOf<readonly number[]> = {
  value: "<list>",
  about: "channels of each level of unet (default: 64,128,256,512,1024)",
  read: (given) => given.split(",").map(Number),
};

/** The values of the options of a network of the zoo. */
export interface ModelOptions {
  readonly classes?: number | undefined;
  readonly input?: [number, number, number] | undefined;
  readonly top?: boolean | undefined;
  readonly pooling?: "avg" | "max" | "none" | undefined;
  readonly aux?: boolean | undefined;
  /** For a training only. */
  readonly dropPath?: number | undefined;
  readonly dropBlock?: number | undefined;
  readonly weights?: string | undefined;
  readonly arch?: string | undefined;
  readonly adaptChannels?: boolean | undefined;
  readonly state?: string | undefined;
  readonly preprocessing?: PreprocessingKind | undefined;
}

/** Throws a `UsageError` if options for networks of the zoo are given with a stored model. */
export function checkNoZooOptions(name: string, options: ModelOptions): void {
  const known = Object.keys(modelOptions) as (keyof ModelOptions)[];
  // A network has its top unless --no-top is given.
  const given = known.filter((option) => (option === "top" ? options.top === false : options[option] !== undefined));
  if (given.length === 0) return;
  throw new UsageError(
    `${given.map((option) => (option === "top" ? "--no-top" : flagOf(option))).join(", ")} ${given.length === 1 ? "is" : "are"} for networks of the zoo; ${name} stays as it is stored: leave ${given.length === 1 ? "it" : "them"} out.`,
  );
}
