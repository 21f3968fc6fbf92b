import { compareResults, formatChanges } from "../results/compare.ts";
import { readResult } from "../results/files.ts";

/** The `compare` command. */
export function compareFiles(before: string, after: string, { json = false }: { json?: boolean }): void {
  const changes = compareResults(readResult(before), readResult(after));
  process.stdout.write(`${json ? JSON.stringify(changes, null, 2) : formatChanges(changes)}\n`);
}
