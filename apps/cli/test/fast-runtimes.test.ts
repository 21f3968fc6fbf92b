import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chain, conv, dense, globalAvgPool, network } from "@convkit/core";
import { installOpenvino } from "@convkit/engine/openvino";
import { saveModel } from "@convkit/weights";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-fast-"));
const model = join(folder, "colors.keras");
let images: string;

/** Blue against red: the means of the channels decide. */
beforeAll(async () => {
  await installOpenvino();
  images = await colorFolder(join(folder, "images"), ["blue", "red"], 4);
  const { useEngine } = await import("@convkit/engine");
  await useEngine(engines[0] ?? "wasm");
  const body = chain({
    keep: conv(3, 1, { padding: "valid" }),
    pool: globalAvgPool(),
    fc: dense(2, { activation: "softmax" }),
  });
  const net = network([12, 12, 3], body, { classes: ["blue", "red"], preprocessing: { scale: 1 / 255 } });
  net.getLayer("keep").setWeights([tf.reshape(tf.eye(3), [1, 1, 3, 3]), tf.zeros([3])]);
  net.getLayer("fc").setWeights([
    tf.tensor2d([
      [-4, 4],
      [0, 0],
      [4, -4],
    ]),
    tf.zeros([2]),
  ]);
  await saveModel(net, model);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("evaluate --runtime gives the same accuracy, and quantize writes a file that predicts as well", async () => {
  const accuracyBy = async (...args: string[]): Promise<number> => {
    const said = await call("evaluate", model, "--data", images, "--json", ...args);
    expect(said.status, said.err).toBe(0);
    return (JSON.parse(said.out) as { accuracy: number }).accuracy;
  };
  expect(await accuracyBy()).toBe(1);
  expect(await accuracyBy("--runtime", "openvino")).toBe(1);

  const out = join(folder, "colors-int8.onnx");
  const said = await call("quantize", model, out, "--data", images, "--json");
  expect(said.status, said.err).toBe(0);
  const report = JSON.parse(said.out) as { accuracy: object; layers: object[]; written: string };
  expect(report).toMatchObject({ written: out, accuracy: { before: 1, after: 1 }, bytes: statSync(out).size });
  expect(report.layers).toEqual([
    { name: "keep", isInt8: true },
    { name: "fc", isInt8: true },
  ]);
  expect((await call("quantize", model, out, "--data", images)).err).toContain("is there already");
});
