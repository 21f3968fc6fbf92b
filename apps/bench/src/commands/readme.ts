import { basename, dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readNotes, unexplained, withReasons } from "../readme/notes.ts";
import { chartPicture, resultsSection, updatePage } from "../readme/section.ts";
import { resultsFolder } from "../results/folder.ts";
import { newestResult, readResult, writeResult } from "../results/files.ts";
import { BenchError } from "../usage-error.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/**
 * The `readme` command: writes a result into docs/benchmarks.md and its chart into the README, the newest full one by default. Adds the notes on slow rows to
 * the result's files. Throws if there is no full result yet.
 */
export async function readmeFile({ result: file }: { result?: string }): Promise<void> {
  const chosen =
    file === undefined ? newestResult(resultsFolder) : { name: basename(file, ".json"), result: readResult(file) };
  if (chosen === undefined)
    throw new BenchError(
      `There is no complete result of all cases in ${relative(root, resultsFolder)}: run convkit-bench first.`,
    );
  const { name } = chosen;
  const result = { ...chosen.result, rows: withReasons(chosen.result.rows, readNotes()) };
  await writeResult(file === undefined ? resultsFolder : dirname(file), name, result);
  const folder = relative(root, resultsFolder);
  updatePage(`${root}docs/benchmarks.md`, resultsSection(result, name, `../${folder}`));
  updatePage(`${root}README.md`, chartPicture(name, folder));
  process.stderr.write(`README.md and docs/benchmarks.md now show ${name}.\n`);
  const without = unexplained(result.rows);
  if (without.length > 0) process.stderr.write(`apps/bench/notes.json gives no reason for ${without.join(", ")}.\n`);
}
