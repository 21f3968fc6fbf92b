import { spawn } from "node:child_process";
import type { HealthRecord } from "../src/index.ts";
import { engines } from "@convkit/testing";
import { bundledProgram, freeAddresses } from "@convkit/testing/bundled";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Told {
  readonly weights: readonly (readonly number[])[];
  readonly history: readonly { readonly loss: number; readonly valLoss: number; readonly metrics: object }[];
  readonly stop?: string;
  readonly health?: readonly HealthRecord[];
  readonly error?: string;
}
type Results = Readonly<Record<string, Told>>;

const patience = 1_800_000;

describe.runIf(engines.includes("native"))("several workers", () => {
  let program: Awaited<ReturnType<typeof bundledProgram>>;
  beforeAll(async () => {
    program = await bundledProgram(new URL("workers/worker-program.ts", import.meta.url));
  }, patience);
  afterAll(() => program.remove());

  const run = (rank: number, addresses: readonly string[], cases: readonly string[]) =>
    new Promise<Results>((resolve) => {
      const args = [program.file, JSON.stringify([rank, addresses, cases])];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
      child.on("close", () => resolve(JSON.parse(text) as Results));
    });
  const together = async (count: number, cases: readonly string[]) => {
    const addresses = await freeAddresses(count);
    return Promise.all(addresses.map((_, rank) => run(rank, addresses, cases)));
  };

  // Relative to the largest weight, after 52 steps with batches of 12, 12, 12 and 1.
  const bounds = {
    sgd: 1e-6,
    adamw: 1e-6,
    clipped: 1e-6,
    accumulated: 1e-6,
    weighted: 1e-6,
    sampled: 1e-6,
    distilled: 1e-6,
    calls: 1e-6,
    norm: 1e-6,
    health: 1e-6,
    bfloat16: 5e-3,
    float16: 5e-3,
  };

  test(
    "with half the batch each give the weights, losses and metrics of one with the whole batch",
    { timeout: patience },
    async () => {
      const exact = Object.keys(bounds);
      const [alone, two] = await Promise.all([
        run(0, [], [...exact, "diverging"]),
        together(2, [...exact, "local", "accumulatedHealth", "diverging", "otherBatch", "otherTensorflow"]),
      ]);
      for (const [name, bound] of Object.entries(bounds))
        for (const worker of two) expect(difference(worker[name]!, alone[name]!), name).toBeLessThan(bound);
      const four = await together(4, ["clipped"]);
      for (const worker of four) expect(difference(worker["clipped"]!, alone["clipped"]!)).toBeLessThan(1e-6);
      // Each worker has its own statistics of batch norm in a step, and all have the same weights after it.
      expect(two[1]!["local"]!.weights).toEqual(two[0]!["local"]!.weights);
      expect(difference(two[0]!["local"]!, alone["norm"]!)).toBeGreaterThan(1e-6);
      // The chief measures the gradients and changes of all images, also in steps in which the other worker has none.
      expect(healthDifference(two[0]!["health"]!, alone["health"]!)).toBeLessThan(1e-4);
      for (const worker of two)
        expect(worker["accumulatedHealth"]!.error).toContain("expected no trainingHealth with accumulate");
      for (const each of [alone, ...two]) expect(each["diverging"]!.stop).toContain("the loss of step 2 is not finite");
      for (const worker of two)
        expect(worker["otherTensorflow"]!.error).toMatch(/worker 1 has TensorFlow "2\.9\.1", worker 0 has "2\.\d+/);
      for (const worker of two) expect(worker["otherBatch"]!.error).toContain("worker 1 has batch 11, worker 0 has 12");
    },
  );
});

/** The largest difference of weights and losses, relative to the largest one of each. */
function difference(one: Told, other: Told): number {
  expect([one.error, other.error]).toEqual([undefined, undefined]);
  expect(one.history.map(({ metrics }) => Object.keys(metrics))).toEqual(
    other.history.map(({ metrics }) => Object.keys(metrics)),
  );
  const numbers = ({ weights, history }: Told) => [
    weights.flat(),
    history.map(({ loss }) => loss),
    history.map(({ valLoss }) => valLoss),
  ];
  const others = numbers(other);
  return Math.max(
    ...numbers(one).map((values, place) => {
      const scale = Math.max(...others[place]!.map(Math.abs));
      return Math.max(...values.map((value, index) => Math.abs(value - others[place]![index]!))) / scale;
    }),
  );
}

/** The largest difference of what two trainings measured of their weights, relative to each number. */
function healthDifference(one: Told, other: Told): number {
  const rows = ({ health = [] }: Told) =>
    health.flatMap(({ step, loss, weights }) => [
      step,
      loss,
      ...weights.flatMap(({ gradientNorm, weightNorm, updateNorm }) => [gradientNorm, weightNorm, updateNorm]),
    ]);
  const [numbers, others] = [rows(one), rows(other)];
  expect(numbers).toHaveLength(18 * (2 + 4 * 3));
  expect(others).toHaveLength(numbers.length);
  return Math.max(...numbers.map((value, place) => Math.abs(value - others[place]!) / Math.max(others[place]!, 1e-9)));
}
