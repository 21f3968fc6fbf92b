import { choice, flag, negated, size, text, whole } from "../terminal/option.ts";

/** The options of a network of the zoo that has a classifier. */
export const headOptions = {
  classes: whole(1, "<n>", "number of classes of the network"),
  pooling: choice(["avg", "max", "none"], "<kind>", "pooling of a network without its top"),
  aux: flag("with the auxiliary classifiers"),
  weights: text("<file>", "file of trained weights, or imagenet for the published ones"),
  arch: text("<name>", "the network that a file of weights belongs to"),
};

/** The options of a network of the zoo, but its image size. */
export const architectureOptions = { ...headOptions, top: negated("ends at the feature map") };

/** The options of a network of the zoo. */
export const modelOptions = { ...architectureOptions, input: size("image size") };

/** The options of a network of the zoo, as they were given. */
export interface ModelOptions {
  readonly classes?: number | undefined;
  readonly input?: [number, number, number] | undefined;
  readonly top?: boolean | undefined;
  readonly pooling?: "avg" | "max" | "none" | undefined;
  readonly aux?: boolean | undefined;
  readonly weights?: string | undefined;
  readonly arch?: string | undefined;
}
