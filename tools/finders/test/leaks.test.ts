import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { availableEngines } from "@convkit/engine";
import { expect, test } from "vitest";

const find = fileURLToPath(new URL("../src/leaks/find.ts", import.meta.url));

test.skipIf(!(await availableEngines()).includes("native"))(
  "steps, predictions, models, compiles, trainings and loads leave nothing behind",
  async () => {
    const args = ["--expose-gc", "--no-opt", "--import", import.meta.resolve("tsx"), find, "--short"];
    const { stdout } = await promisify(execFile)(process.execPath, args).catch((failed: { stdout: string }) => failed);
    const growths = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly isFlat: boolean });
    expect(growths.filter(({ isFlat }) => !isFlat)).toEqual([]);
    expect(growths.length).toBe(6);
  },
);
