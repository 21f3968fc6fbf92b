import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPeer } from "@convkit/testing";

/** What a script of `python/` makes of each case, in the peers' environment. */
export function peerResults<T>(script: string, cases: readonly unknown[]): T[] {
  const folder = mkdtempSync(join(tmpdir(), "convkit-finders-"));
  try {
    const [given, found] = [join(folder, "cases.json"), join(folder, "results.json")];
    writeFileSync(given, JSON.stringify(cases));
    runPeer(readFileSync(new URL(`../python/${script}`, import.meta.url), "utf8"), [given, found]);
    return JSON.parse(readFileSync(found, "utf8")) as T[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
