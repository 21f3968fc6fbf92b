import { build } from "@convkit/core";
import type { BuildOptions, ImageShape, TypedModel } from "@convkit/core";
import { OptionError, nearest, shown } from "@convkit/errors";
import type { Network } from "./shared/sources.ts";
import type { CreatedInput, CreatedOutput } from "./zoo-shapes.ts";
import { aliases, architectureOf, zoo } from "./zoo.ts";
import type { ModelAlias, ModelName } from "./zoo.ts";

/**
 * A network of the zoo with fresh weights: `createModel("resnet50", { classes: 37, input: [160, 160, 3] })`. The shapes of its input and
 * output are in its type (`InputOf`, `OutputOf` of core).
 *
 * Throws an `OptionError` for an unknown name, listing close ones, and for an option that makes no sense.
 */
export function createModel<
  const Name extends ModelName | ModelAlias,
  const Input extends ImageShape | undefined = undefined,
  const Classes extends number | undefined = undefined,
  const Top extends boolean | undefined = true,
  const Aux extends boolean | undefined = false,
>(
  name: Name,
  options: BuildOptions & {
    /** The architecture's own by default. */
    readonly input?: Input;
    /** The architecture's own by default. */
    readonly classes?: Classes;
    /** True by default. */
    readonly includeTop?: Top;
    /** False by default. */
    readonly aux?: Aux;
  } = {},
): TypedModel<CreatedInput<Name, Input>, CreatedOutput<Name, Classes, Top, Aux>> {
  return build(findArchitecture(name), options);
}

/** Finds an architecture by name. Throws an `OptionError` that lists the zoo's names if there is none. */
export function findArchitecture(name: string): Network {
  const found = architectureOf(name);
  if (found !== undefined) return found;
  const names = Object.keys(zoo);
  const close = typeof name === "string" ? closeNames(name, names) : [];
  const hint = close.length === 0 ? "" : `did you mean ${close.join(" or ")}? `;
  throw new OptionError(`unknown model ${shown(name)}; ${hint}the zoo has ${names.join(", ")}.`);
}

/** True for names of the zoo, with or without a source. */
export function isModelName(name: string): name is ModelName | ModelAlias {
  return architectureOf(name) !== undefined;
}

function closeNames(name: string, names: readonly string[]): string[] {
  // Keras writes ResNet50, MobileNetV2, InceptionV3.
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_ ]/g, "");
  const same = names.filter((known) => plain(known) === plain(name));
  if (same.length > 0) return same;
  const started = names.filter((known) => name.length > 2 && known.startsWith(name.toLowerCase()));
  const near = nearest(name, [...names, ...Object.keys(aliases)]);
  return [...new Set([...(near === undefined ? [] : [near]), ...started])];
}
