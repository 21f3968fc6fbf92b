import { build } from "@convkit/core";
import type { Architecture, BuildOptions } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { zoo } from "./zoo.ts";
import type { ModelName } from "./zoo.ts";

/**
 * A network of the zoo with fresh weights: `createModel("resnet50", { classes: 37, input: [160, 160, 3] })`.
 *
 * Throws where the name is unknown (listing those that are close) or an option makes no sense.
 */
export function createModel(name: ModelName, options: BuildOptions = {}): tfl.LayersModel {
  return build(findArchitecture(name), options);
}

/** The architecture of a name that comes from outside. Throws where the zoo has none of it, naming those it has. */
export function findArchitecture(name: string): Architecture {
  if (isModelName(name)) return zoo[name];
  const names = Object.keys(zoo);
  const distances = names.map((known) => distance(known, name));
  const least = Math.min(...distances);
  const near = names.filter(
    (known, i) => (least <= 2 && distances[i] === least) || (name.length > 2 && known.startsWith(name)),
  );
  const hint = near.length === 0 ? "" : `did you mean ${near.join(" or ")}? `;
  throw new Error(`unknown model "${name}"; ${hint}the zoo has ${names.join(", ")}`);
}

/** Whether the zoo has a network of this name. */
export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(zoo, name);
}

/** Letters to change, add or leave out to make one word the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const swap = (row[j] as number) + (letter === other ? 0 : 1);
      next.push(Math.min(swap, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
