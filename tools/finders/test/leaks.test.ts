import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { availableEngines } from "@convkit/engine";
import { describe, expect, test } from "vitest";

interface Growth {
  readonly name: string;
  readonly isFlat: boolean;
  readonly leaks: readonly string[];
}

const find = fileURLToPath(new URL("../src/leaks/find.ts", import.meta.url));

async function growths(...options: string[]): Promise<Growth[]> {
  const args = ["--import", import.meta.resolve("tsx"), find, "--short", ...options];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((failed: { stdout: string }) => failed);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Growth);
}

describe.skipIf(!(await availableEngines()).includes("native"))("leaks", () => {
  test("steps, predictions, models, compiles, trainings and loads leave nothing behind", async () => {
    const all = await growths();
    const leaking = all.filter(({ isFlat }) => !isFlat);
    expect(leaking, JSON.stringify(leaking)).toEqual([]);
    expect(all.length).toBe(6);
  });

  test("a tensor, a session, a file, 1 kB of objects, 1 kB of buffers or 1 MB of native memory a turn are found", async () => {
    const all = await growths("--planted");
    for (const { name, leaks } of all) expect(leaks, JSON.stringify(all)).toContain(name);
    expect(all.length).toBe(6);
  });
});
