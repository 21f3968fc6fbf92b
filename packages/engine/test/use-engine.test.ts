import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";

import {
  availableEngines,
  EngineError,
  tensorflowLibrary,
  useEngine,
  type Engine,
  type EngineName,
} from "@convkit/engine";
import { cudaDevices } from "../src/machine/devices.ts";
import { foreignFunctions } from "../src/machine/foreign-functions.ts";

describe("an engine", () => {
  let native: Engine;

  beforeAll(async () => {
    expect(await availableEngines()).toEqual(expect.arrayContaining(["native", "wasm"]));
    expect(tensorflowLibrary()).toBeUndefined();
    native = await useEngine("native", { threads: 2 });
  });

  test("native is TensorFlow 2.21 under tfjs' own API", async () => {
    expect(native).toEqual({ name: "native", backend: "tensorflow", tensorflow: "2.21.0", threads: 2, isGpu: false });
    expect(tf.getBackend()).toBe("tensorflow");
    const product = tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]]));
    expect([...(await product.data())]).toEqual([11]);
  });

  test("asked for again it is the same one", async () => {
    expect(await useEngine("native")).toBe(native);
    expect(await useEngine("auto")).toBe(native);
    const [first, second] = await Promise.all([useEngine("native"), useEngine("native", { threads: 2 })]);
    expect(first).toBe(second);
  });

  test("its thread count cannot change afterwards", async () => {
    await expect(useEngine("native", { threads: 1 })).rejects.toThrow(
      "The native engine runs in this process with 2 threads already, so it cannot take 1",
    );
  });

  test("switches with wasm and back", async () => {
    expect((await useEngine("wasm")).backend).toBe("wasm");
    expect(tf.getBackend()).toBe("wasm");
    await useEngine("native");
    expect(tf.getBackend()).toBe("tensorflow");
  });

  test.skipIf(cudaDevices().length > 0)("gpu is refused with the reason where there is no device", async () => {
    await expect(useEngine("gpu")).rejects.toThrow(EngineError);
    await expect(useEngine("gpu")).rejects.toThrow("The gpu engine cannot be used: no CUDA device is visible");
  });

  test("an unknown one is refused with the known ones", async () => {
    await expect(useEngine("metal" as EngineName)).rejects.toThrow(
      'There is no engine "metal": the engines are auto, gpu, native, wasm, webgpu.',
    );
  });

  test.each([0, -1, 1.5, Number.NaN])("%d threads are refused", async (threads) => {
    await expect(useEngine("native", { threads })).rejects.toThrow(`An engine takes 1 thread or more, not ${threads}`);
  });

  test("its library answers the C API in this process", () => {
    const library = tensorflowLibrary();
    expect(library?.version).toBe("2.21.0");
    const version = foreignFunctions()
      .load(library?.cc as string)
      .func("const char *TF_Version()");
    expect(version()).toBe("2.21.0");
    expect(library?.framework).toMatch(/libtensorflow_framework/);
  });
});
