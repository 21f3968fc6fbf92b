import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-layers";
import { kernelAddresses, registerWasmKernels } from "@convkit/engine/wasm";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";

import { kernelsModule } from "../src/wasm/node/kernels-module.ts";

const gradient = (): Float32Array =>
  tf.tidy(() => {
    const x = tf.ones([1, 4, 4, 1]) as tf.Tensor4D;
    const filter = tf.ones([3, 3, 1, 1]) as tf.Tensor4D;
    return tf
      .grad((w) => tf.sum(tf.conv2d(x, w as tf.Tensor4D, 1, "valid")))(filter)
      .dataSync();
  }) as Float32Array;

it("trains on a wasm backend that somebody else set, as a page does", async () => {
  const module = await kernelsModule(false);
  expect(() => registerWasmKernels(module)).toThrow(/^The wasm kernels need the backend "wasm", but/u);
  await tf.setBackend("wasm");
  expect(gradient).toThrow("Conv2DBackpropFilter");
  registerWasmKernels(module);
  expect(gradient()).toEqual(new Float32Array(9).fill(4));
  registerWasmKernels(module);
  expect(gradient()).toEqual(new Float32Array(9).fill(4));
});

it("tells bundlers where the kernels lie", () => {
  const names = Object.values(kernelAddresses).map((address) => address.split("/").at(-1));
  expect(names).toEqual(["kernels.wasm", "kernels-threads.wasm"]);
});
