import type { Network } from "./shared/sources.ts";
import { aliasesOf, zoo } from "./zoo.ts";

/** A network's metadata: everything that an architecture states but its layers. */
export type ModelInfo = Omit<Network, "body" | "head" | "aux"> & {
  /** Further names, which say the source. */
  readonly aliases: readonly string[];
  /** True where it has auxiliary classifiers. */
  readonly aux: boolean;
};

/**
 * The networks of the zoo, or those with a name that fits a pattern (`"resnet*"`, `"?gg16"`, `"*-tv"`); nothing is built. Each
 * network is listed once, under its plain name.
 */
export function list(pattern = "*"): ModelInfo[] {
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
