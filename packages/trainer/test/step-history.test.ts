import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stepHistory, train } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-steps-"));
beforeAll(() => useEngine("wasm").then(() => undefined));
afterAll(() => rmSync(folder, { recursive: true }));

const images = Uint8Array.from({ length: 10 * 4 }, (_, i) => (i * 29) % 251);
const labels = Array.from({ length: 10 }, (_, i) => i % 2);
const data = fromArrays({ images, shape: [2, 2, 1], labels, name: "ten" });

function model(): tfl.LayersModel {
  const input = tfl.input({ shape: [2, 2, 1] });
  const kernelInitializer = tfl.initializers.zeros();
  const flat = tfl.layers.flatten().apply(input);
  const out = tfl.layers.dense({ name: "out", units: 2, activation: "softmax", kernelInitializer }).apply(flat);
  return tfl.model({ inputs: input, outputs: out as tfl.SymbolicTensor });
}

test("steps.csv has a row for each step, and a resumed run the same as one that was never stopped", async () => {
  const options = { data, batch: 4, optimizer: { name: "sgd", learningRate: 1e-5 }, progress: false } as const;
  const seen: string[] = [];
  const observe = {
    onTrainBatchEnd: (_batch: number, logs: { epoch: number; stepLoss: number; lr: number }, view: { step: number }) =>
      void seen.push(`${view.step},${logs.epoch},${logs.stepLoss},${logs.lr}`),
  };
  const whole = join(folder, "whole");
  await train({ ...options, model: model(), epochs: 3, out: whole, callbacks: [stepHistory(), observe] });
  const [head, ...rows] = readFileSync(join(whole, "steps.csv"), "utf8").trimEnd().split("\n");
  expect(head).toBe("step,epoch,loss,lr");
  // Ten images are three steps an epoch; the first loss is that of equal chances.
  expect(rows).toEqual(seen);
  expect(rows.map((row) => row.split(",").slice(0, 2).map(Number))).toEqual(
    Array.from({ length: 9 }, (_, i) => [i + 1, 1 + Math.floor(i / 3)]),
  );
  expect(Number(rows[0]!.split(",")[2])).toBeCloseTo(Math.log(2), 5);

  const parts = join(folder, "parts");
  await train({ ...options, model: model(), epochs: 2, out: parts, callbacks: [stepHistory()] });
  // What a process writes that is killed after its checkpoint.
  appendFileSync(join(parts, "steps.csv"), "7,3,9.5,1\n8,3,9");
  await train({ ...options, model: model(), epochs: 3, out: parts, resume: true, callbacks: [stepHistory()] });
  expect(readFileSync(join(parts, "steps.csv"), "utf8")).toBe(readFileSync(join(whole, "steps.csv"), "utf8"));

  const some = join(folder, "some.csv");
  const callbacks = [stepHistory({ every: 4, path: some })];
  await train({ ...options, model: model(), epochs: 3, callbacks });
  expect(readFileSync(some, "utf8")).toBe(`${[head, rows[3], rows[7]].join("\n")}\n`);
});

test("needs a place, and whole numbers", async () => {
  expect(() => stepHistory({ every: 0 })).toThrow(/every must be a whole number from 1/);
  const options = { data, epochs: 1, progress: false, model: model() };
  await expect(train({ ...options, callbacks: [stepHistory()] })).rejects.toThrow(
    /expected a path, or a run directory/,
  );
});
