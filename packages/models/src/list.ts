import { OptionError, shown } from "@convkit/errors";
import type { Network } from "./shared/sources.ts";
import { aliasesOf, zoo } from "./zoo.ts";

/** A network's metadata: all fields of an architecture except its layers. */
export type ModelInfo = Omit<Network, "body" | "head" | "aux"> & {
  /** Further names, which include the source. */
  readonly aliases: readonly string[];
  /** True if the network has auxiliary classifiers. */
  readonly aux: boolean;
};

/**
 * Lists the networks of the zoo, or those whose names match a pattern (`"resnet*"`, `"?gg16"`, `"*-tv"`); builds
 * nothing. Each network appears once, under its plain name.
 */
export function list(pattern = "*"): ModelInfo[] {
  if (typeof pattern !== "string") {
    throw new OptionError(`list: expected a pattern such as "resnet*", got ${shown(pattern)}.`);
  }
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const fits = new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
  return Object.values<Network>(zoo)
    .map(({ body: _body, head: _head, aux, ...info }) => ({
      ...info,
      aliases: aliasesOf(info.name),
      aux: aux !== undefined,
    }))
    .filter(({ name, aliases }) => [name, ...aliases].some((each) => fits.test(each)));
}
