import { basename } from "@convkit/files/system";
import { folderNames } from "@convkit/weights/platform";
import { twins } from "../formats/torch/twins.ts";
import type { Twin } from "../formats/torch/twins.ts";
import { WeightsError } from "../weights-error.ts";
import type { WeightsFile } from "./weights-file.ts";

/** A network of timm or torchvision by its name there, and what names it. */
interface Told {
  readonly name: string;
  readonly by: string;
}

/**
 * Refuses a file that says that it is of another network, whose weights have the same names and shapes as the model's. Gives a
 * note if the model has such twins and nothing tells which one the file is of.
 */
export function checkTwins(
  model: string,
  file: Pick<WeightsFile, "path" | "metadata" | "modelMetadata" | "configArchitecture">,
  names: Twin["names"],
): string | undefined {
  const rows = twins.filter((twin) => twin.names === names && twin.ours.includes(model));
  if (rows.length === 0 || file.modelMetadata?.architecture === model) return undefined;
  const told = toldNetwork(file, rows);
  if (told === undefined) return names === "timm" ? rows[0]!.difference : undefined;
  const row = rows.find(({ theirs }) => theirs.includes(told.name));
  if (row === undefined) return undefined;
  throw new WeightsError(
    file.path,
    "",
    `is of ${told.name} by ${told.by}, nothing was changed: its weights have the names and shapes of ${model}, but ${row.difference}`,
  );
}

/** The network that a file says it is of: its metadata, its name, timm's config.json beside it, or its folder. */
function toldNetwork(
  { path, metadata, configArchitecture }: Pick<WeightsFile, "path" | "metadata" | "configArchitecture">,
  rows: readonly Twin[],
): Told | undefined {
  const names = [...new Set(rows.flatMap(({ own, theirs }) => [...own, ...theirs]))];
  const places: readonly (readonly [text: string | undefined, by: string])[] = [
    ...["architecture", "arch", "model_name"].map((key) => [metadata[key], `its metadata (${key})`] as const),
    [basename(path), "its name"],
    [configArchitecture, "the config.json beside it"],
    [folderName(path), "the name of its folder"],
  ];
  for (const [text, by] of places) {
    const name = text === undefined ? undefined : named(text, names);
    if (name !== undefined) return { name, by };
  }
  return undefined;
}

/** The longest of the names that stands in a text as a word: not `resnet50` in `seresnet50` or in `resnet50d`. */
function named(text: string, names: readonly string[]): string | undefined {
  return names
    .filter((name) => new RegExp(`(?<![a-z0-9_])${name}(?![a-z0-9])`).test(text))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** The folder of a file; of one in the cache of Hugging Face, `models--timm--resnet50.a1_in1k/snapshots/…`, that of the model. */
function folderName(path: string): string | undefined {
  const folders = folderNames(path);
  return folders.findLast((folder) => folder.startsWith("models--")) ?? folders.at(-1);
}
