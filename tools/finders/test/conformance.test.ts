import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import type { CompiledReport } from "../src/compiled-calls.ts";
import { exclusions } from "../src/conformance-exclusions.ts";

interface Outcome {
  readonly calls: CompiledReport;
  readonly passed: number;
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}

/** How many specs passed when this was written; more is better. */
const least: Readonly<Record<string, number>> = { native: 4016, wasm: 4009 };

async function outcome(...args: string[]): Promise<Outcome> {
  const program = fileURLToPath(new URL("../src/conformance.ts", import.meta.url));
  const env = { ...process.env, NODE_OPTIONS: "" };
  const line = ["--import", "tsx", program, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, line, { env, maxBuffer: 1 << 28 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Outcome;
}

test.each(engines.filter((engine) => engine in least))(
  "tfjs-core's own specs pass on the %s engine",
  async (engine) => {
    const { passed, failures } = await outcome(engine);
    const isExcluded = (name: string) =>
      exclusions.some((exclusion) => exclusion.engines.includes(engine) && exclusion.specs.test(name));
    expect(failures.filter(({ name }) => !isExcluded(name))).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(least[engine]!);
  },
);

test.skipIf(!engines.includes("native"))(
  "what tfjs-core's specs call computes the same compiled, on the specs' numbers and on others",
  async () => {
    // One spec of so many by the hash of its name; CONVKIT_SPECS=1 takes all.
    const { calls } = await outcome("native", "", process.env["CONVKIT_SPECS"] ?? "40");
    expect(calls.different).toEqual([]);
    expect(calls.equal).toBeGreaterThanOrEqual(80);
  },
);
