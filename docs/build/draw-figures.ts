// Runs the commands of figures, given as JSON on standard input, in the folder that the argument names.
import { readFileSync } from "node:fs";
import { runCli } from "../../apps/cli/src/program.ts";

const wanted = JSON.parse(readFileSync(0, "utf8")) as { page: string; words: string[] }[];
process.chdir(process.argv[2]!);
for (const { page, words } of wanted) {
  const status = await runCli(words);
  if (status !== 0) throw new Error(`${page}: convkit ${words.join(" ")} ended with ${status}`);
}
process.exit(0);
