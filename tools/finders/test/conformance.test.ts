import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import { exclusions } from "../src/conformance-exclusions.ts";

interface Outcome {
  readonly passed: number;
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}

/** How many specs passed when this was written; more is better. */
const least: Readonly<Record<string, number>> = { native: 4016, wasm: 4009 };

test.each(engines.filter((engine) => engine in least))(
  "tfjs-core's own specs pass on the %s engine",
  async (engine) => {
    const program = fileURLToPath(new URL("../src/conformance.ts", import.meta.url));
    const env = { ...process.env, NODE_OPTIONS: "" };
    const args = ["--import", "tsx", program, engine];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 1 << 28 });
    const { passed, failures } = JSON.parse(stdout.trim().split("\n").at(-1)!) as Outcome;
    const isExcluded = (name: string) =>
      exclusions.some((exclusion) => exclusion.engines.includes(engine) && exclusion.specs.test(name));
    expect(failures.filter(({ name }) => !isExcluded(name))).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(least[engine]!);
  },
);
