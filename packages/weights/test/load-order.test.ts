import { chain, conv, defineLayer, flatten, network } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

// A program may build its model, and register its own layers, before anything loads this package.

test("a model that was built before this package was loaded is saved and loaded", async () => {
  await useEngine("wasm");
  const body = chain([conv(3, 3, { padding: "same", activation: "relu" }), flatten()]);
  const model = network([4, 5, 2], body, { name: "early", seed: 2 });
  class EarlyLayer extends tfl.layers.Layer {
    static className = "EarlyLayer";
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.mul([inputs].flat()[0] as tf.Tensor, 3);
    }
  }
  tf.serialization.registerClass(EarlyLayer as never);
  const doubled = defineLayer("EarlyDefined", { call: (x) => tf.mul(x, 2) });
  const mine = tfl.sequential({ layers: [new EarlyLayer({ inputShape: [2] } as never)] });

  const { loadModel, saveModel } = await import("../src/index.ts");
  const folder = mkdtempSync(join(tmpdir(), "convkit-order-"));
  const x = tf.randomUniform([2, 4, 5, 2], -1, 1, "float32", 3);
  for (const file of ["early.keras", "early.h5", "early.onnx", "early.safetensors"]) {
    await saveModel(model, join(folder, file));
    if (!/keras|h5/.test(file)) continue;
    const again = await loadModel(join(folder, file));
    expect([...(again.predict(x) as tf.Tensor).dataSync()]).toEqual([...(model.predict(x) as tf.Tensor).dataSync()]);
  }
  await expect(saveModel(mine, join(folder, "mine.onnx"))).rejects.toThrow(/EarlyLayer.*is a class of yours/);
  const own = network([2], doubled());
  await saveModel(own, join(folder, "own"), { format: "tfjs" });
  const loaded = await loadModel(join(folder, "own"));
  expect([...(loaded.predict(tf.tensor([[1, -4]])) as tf.Tensor).dataSync()]).toEqual([2, -8]);
});

test("every layer class that tfjs registers is known as its own", async () => {
  const { stockClasses } = await import("../src/layers/stock-classes.ts");
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const names = new Set([...stockClasses()].map((each) => (each as { className: string }).className));
  const { isKnownLayer } = await import("../src/layers/register.ts");
  expect(isKnownLayer(tfl.layers.conv2d({ filters: 1, kernelSize: 1 }))).toBe(true);
  for (const name of [
    "Conv2D",
    "Dense",
    "LSTM",
    "Bidirectional",
    "TimeDistributed",
    "InputLayer",
    "Sequential",
    "Functional",
    "Model",
    "Cropping2D",
    "ZeroPadding2D",
    "Conv3DTranspose",
    "RandomWidth",
  ])
    expect([name, names.has(name), Object.hasOwn(classNameMap, name)]).toEqual([name, true, true]);
  expect(names.size).toBe(69);
});
