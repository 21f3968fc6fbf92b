import type { Context } from "../terminal/context.ts";
import { completionsFor } from "../terminal/completions.ts";
import { dataNames, networkNames, recipeNames } from "../inputs/known-names.ts";

/**
 * `convkit complete -- <words>`: what may stand for the last word. The scripts of `convkit completion` call it, and read a word and
 * its meaning a line, then `:4` (these words alone) or `:0` (paths, too).
 */
export async function run({ out }: Context, _given: object, words: readonly string[]): Promise<void> {
  const { commands } = await import("./index.ts");
  const { words: found, files } = await completionsFor(words, commands, argumentWords);
  const lines = found.map(({ word, about }) => (about === "" ? word : `${word}\t${about}`));
  out.result({ words: found, files }, [...lines, files ? ":0" : ":4"].join("\n"));
}

async function argumentWords(argument: string): Promise<readonly string[]> {
  if (argument === "model") return networkNames();
  if (argument === "recipe-or-model") return [...(await recipeNames()), ...(await networkNames())];
  if (argument === "name" || argument === "data") return dataNames();
  return argument === "shell" ? shells : [];
}

/** The shells that `convkit completion` writes a script for. */
export const shells = ["bash", "zsh", "fish", "powershell"] as const;
