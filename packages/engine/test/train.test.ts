import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import { availableEngines } from "@convkit/engine";
import { startProgram } from "./program.ts";

const isLinuxX64 = process.platform === "linux" && process.arch === "x64";
const bundled = (name: string): [string, string] => [
  name,
  fileURLToPath(new URL(`../node_modules/${name}/bin/node`, import.meta.url)),
];
/** The other Nodes come from npm, for Linux x64. */
const nodes: [string, string][] = [
  ["this Node", process.execPath],
  ...(isLinuxX64 ? ["node22", "node24"].map(bundled) : []),
];
const engines = await availableEngines();
const cases = nodes.flatMap(([name, node]) => engines.map((engine) => [name, engine, node] as const));

interface Trained {
  engine: { name: string };
  losses: number[];
}

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe("training", { shuffle: false }, () => {
  const seen: number[][] = [];

  test.each(cases)("on %s with %s: the losses fall, nothing else is printed", async (_name, engine, node) => {
    const { code, output, errors } = await startProgram("train", { env: { ENGINE: engine, IS_TEST: "true" }, node })
      .ended;
    expect([code, errors]).toEqual([0, ""]);
    const trained = JSON.parse(output) as Trained;
    expect(trained.engine.name).toBe(engine);
    expect(trained.losses.at(-1)).toBeLessThan((trained.losses[0] as number) * 0.8);
    seen.push(trained.losses);
  });

  test("gives the same losses everywhere", () => {
    expect(seen).toHaveLength(cases.length);
    for (const losses of seen) {
      for (const [step, loss] of losses.entries()) expect(loss).toBeCloseTo(seen[0]?.[step] as number, 4);
    }
  });
});
