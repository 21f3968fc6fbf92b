import { chain, conv, dense, globalAvgPool, network } from "@convkit/core";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { installOpenvino } from "@convkit/engine/openvino";
import { engines } from "@convkit/testing";
import { beforeAll, expect, test } from "vitest";
import { evaluate, train } from "../src/index.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  await installOpenvino();
});

const data = fromArrays({
  name: "patterns",
  images: Uint8Array.from(
    { length: 60 * 6 * 8 * 3 },
    (_, i) => (i * 131 + (i >> 5) * 17 + Math.floor(i / 144) * 41) % 256,
  ),
  labels: Int32Array.from({ length: 60 }, (_, i) => (i * 7) % 3),
  shape: [6, 8, 3],
  classes: ["a", "b", "c"],
});

test.each([
  ["softmax", 3],
  ["linear", 3],
] as const)("evaluation by OpenVINO gives the engine's own numbers (%s)", async (activation, classes) => {
  const body = chain({
    conv: conv(6, 3, { padding: "same", activation: "relu" }),
    pool: globalAvgPool(),
    fc: dense(classes, { activation }),
  });
  const model = network([6, 8, 3], body, { seed: 3, preprocessing: { scale: 1 / 64, mean: [2] } });
  for (const mirror of [false, true]) {
    const [own, fast] = [
      await evaluate(model, data, { mirror, batch: 16 }),
      await evaluate(model, data, { mirror, batch: 16, runtime: "openvino" }),
    ];
    expect(fast.accuracy).toBe(own.accuracy);
    expect(fast.confusion).toEqual(own.confusion);
    expect(fast.loss).toBeCloseTo(own.loss, 4);
    expect(own.accuracy).toBeGreaterThan(0);
  }
});

test("what a runtime cannot do is refused", async () => {
  const model = network([6, 8, 3], chain({ pool: globalAvgPool(), fc: dense(3) }));
  await expect(evaluate(model, data, { runtime: "tensorflow" as "auto" })).rejects.toThrow(
    "expected runtime to be auto, openvino or onnxruntime",
  );
  await expect(evaluate(model, data, { runtime: "openvino", execution: { threads: 1 } })).rejects.toThrow(
    "expected no execution",
  );
});

test.each([
  ["openvino", undefined],
  ["auto", 0.5],
] as const)("validation in the runtime %s gives the engine's own history (ema %s)", async (validationRuntime, ema) => {
  const body = chain({
    conv: conv(6, 3, { padding: "same", activation: "relu" }),
    pool: globalAvgPool(),
    fc: dense(3),
  });
  const run = (more: object) =>
    train({
      model: network([6, 8, 3], body, { seed: 3, preprocessing: { scale: 1 / 64, mean: [2] } }),
      data: { name: "patterns", train: data, validation: data },
      optimizer: { name: "sgd", learningRate: 0.05 },
      epochs: 3,
      progress: false,
      ema,
      ...more,
    });
  const [own, fast] = [await run({}), await run({ validationRuntime })];
  expect(own.validationRuntime).toBeUndefined();
  expect(["openvino", "onnxruntime"]).toContain(fast.validationRuntime);
  const losses = own.history.map(({ valLoss }) => valLoss!);
  // The weights of each epoch are validated, not those of the first.
  expect(new Set(losses.map((loss) => loss.toFixed(3))).size).toBe(3);
  for (const [index, { valLoss, valAccuracy }] of fast.history.entries()) {
    expect(valLoss).toBeCloseTo(losses[index]!, 4);
    expect(valAccuracy).toBe(own.history[index]!.valAccuracy);
  }
});

test("a validation runtime that is none is refused", async () => {
  const model = network([6, 8, 3], chain({ pool: globalAvgPool(), fc: dense(3) }), { seed: 3 });
  await expect(train({ model, data, epochs: 1, validationRuntime: "wasm" as "auto" })).rejects.toThrow(
    "validationRuntime must be one of auto, openvino, onnxruntime",
  );
});
