import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-foreign-"));
const at = (name: string): string => join(folder, name);
beforeAll(() => useEngine("wasm"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function done(...args: string[]): Promise<string> {
  const { status, out, err } = await call(...args, "--engine", "wasm");
  expect(status, err).toBe(0);
  return out;
}

describe("an .onnx file", () => {
  beforeAll(async () => {
    await colorFolder(at("data"), ["blue", "green", "red"], 12, { width: 12, height: 12 });
    const { conv2d, batchNormalization, globalAveragePooling2d, dense } = tfl.layers;
    const model = tfl.sequential({
      layers: [
        tfl.layers.rescaling({ scale: 1 / 255, inputShape: [12, 12, 3] }),
        conv2d({ filters: 6, kernelSize: 3, activation: "relu" }),
        batchNormalization(),
        globalAveragePooling2d({}),
        dense({ units: 3 }),
      ],
    });
    await saveModel(model, at("net.onnx"));
    model.dispose();
  });

  test("is summed up, explained, evaluated and asked like other models", async () => {
    const summary = JSON.parse(await done("summary", at("net.onnx"), "--json")) as { params: { total: number } };
    // 3 * 3 * 3 * 6 + 6, 4 * 6 of the normalization, 6 * 3 + 3.
    expect(summary.params.total).toBe(168 + 24 + 21);
    expect(await done("explain", "params", at("net.onnx"))).toMatch(/Conv2D/);
    const evaluated = JSON.parse(
      await done("evaluate", at("net.onnx"), "--data", at("data"), "--split", "train", "--json"),
    ) as {
      loss: number;
    };
    expect(evaluated.loss).toBeLessThan(20);
    const [asked] = JSON.parse(await done("predict", at("net.onnx"), at("data/red/1.jpg"), "--json")) as [
      { predictions: { probability: number }[] },
    ];
    expect(asked.predictions.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
  });

  test("is fine-tuned and written again, with the numbers of the run", async () => {
    await done("train", at("net.onnx"), "--data", at("data"), "--epochs", "1", "--out", at("run"), "--quiet");
    await done("convert", at("run"), at("tuned.onnx"));
    const pixels = Buffer.from(Float32Array.from({ length: 432 }, (_, i) => i % 255).buffer);
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 12, 12, 3), }".padEnd(117) + "\n";
    writeFileSync(
      at("x.npy"),
      Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(header), pixels]),
    );
    const answers = [];
    for (const name of ["net.onnx", "run", "tuned.onnx"]) {
      await done("run", at(name), "--input", at("x.npy"), "--output", at("y.npy"));
      answers.push([...new Float32Array(Uint8Array.from(readFileSync(at("y.npy")).subarray(-12)).buffer)]);
    }
    const [before, trained, written] = answers as [number[], number[], number[]];
    for (const [index, value] of written.entries()) expect(value).toBeCloseTo(trained[index]!, 4);
    expect(Math.max(...trained.map((value, index) => Math.abs(value - before[index]!)))).toBeGreaterThan(1e-3);
  });
});

describe("--layers", () => {
  test("gives the classes and functions that a model file names", async () => {
    class Doubled extends tfl.layers.Layer {
      static className = "Doubled";
      override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.mul([x].flat()[0]!, 2);
      }
    }
    const model = tfl.sequential({
      layers: [tfl.layers.inputLayer({ inputShape: [3] }), new Doubled({ name: "own" })],
    });
    await saveModel(model, at("own"), { format: "tfjs" });
    const url = JSON.stringify(import.meta.resolve("@tensorflow/tfjs-layers"));
    writeFileSync(
      at("mine.mjs"),
      `import * as tfl from ${url};
export class Doubled extends tfl.layers.Layer { static className = "Doubled"; call(x) { return [x].flat()[0].mul(2); } }`,
    );
    const without = await call("summary", at("own"));
    expect([without.status, without.err]).toEqual([1, expect.stringContaining("Doubled")]);
    expect(await done("summary", at("own"), "--layers", at("mine.mjs"))).toContain("own (Doubled)");
  });

  test.each([
    ["none.mjs", undefined, /there is no module .*none\.mjs/],
    ["empty.mjs", "export const x = 1;", /expected layer classes or functions as exports/],
    ["broken.mjs", "export const;", /cannot be imported/],
  ])("%s is refused in one sentence", async (name, content, message) => {
    if (content !== undefined) writeFileSync(at(name), content);
    const { status, err } = await call("summary", "lenet5", "--layers", at(name));
    expect([status, err.trim().split("\n").length]).toEqual([2, 1]);
    expect(err).toMatch(message);
  });
});
