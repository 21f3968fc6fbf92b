import { basename, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readmeSection, updateReadme } from "./readme.ts";
import { newestResult, readResult } from "./result-files.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Where results of a checkout are written and committed. */
export const resultsFolder = fileURLToPath(new URL("../results", import.meta.url));

/** The `readme` command. Throws where there is no full result yet. */
export function readmeFile({ result: file }: { result?: string }): void {
  const chosen =
    file === undefined ? newestResult(resultsFolder) : { name: basename(file, ".json"), result: readResult(file) };
  if (chosen === undefined)
    throw new Error(
      `There is no complete result of all cases in ${relative(root, resultsFolder)}: run convkit-bench first.`,
    );
  updateReadme(`${root}README.md`, readmeSection(chosen.result, chosen.name, relative(root, resultsFolder)));
  process.stderr.write(`README.md now shows ${chosen.name}.\n`);
}
