import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listWeights, loadModel, WeightsError } from "../src/index.ts";

const golden = fileURLToPath(new URL("golden/saved-model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "convkit-saved-model-"));
const net = join(folder, "net");

beforeAll(async () => {
  await useEngine();
  cpSync(golden, net, { recursive: true });
  writeFileSync(join(net, "saved_model.pb"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

it("a SavedModel of Keras 2 becomes a model that predicts as Keras does", async () => {
  const { x, y } = JSON.parse(readFileSync(join(golden, "numbers.json"), "utf8")) as { x: number[]; y: number[] };
  const model = await loadModel(net);
  const input = tf.tensor4d(x, [2, 6, 5, 3]);
  const output = model.predict(input) as tf.Tensor;
  for (const [index, value] of output.dataSync().entries()) expect(value).toBeCloseTo(y[index]!, 4);
  expect(model.trainableWeights).toHaveLength(11);
  tf.dispose([input, output]);
  model.dispose();
});

it.each(["net", "net/variables/variables.index"])(
  "the variables of %s are listed by the paths of their objects",
  async (name) => {
    const { format, weights } = await listWeights(join(folder, name));
    expect(format).toBe("savedmodel");
    expect(weights.map((weight) => weight.name)).toContain("layer_with_weights-0/kernel");
    // Every weight of the model is there, and its numbers are the model's.
    const model = await loadModel(net);
    for (const { name: own, shape, values } of model.weights.map((weight) => ({
      name: weight.name,
      shape: weight.shape,
      values: Array.from(weight.read().dataSync()),
    }))) {
      const sum = values.reduce((total, value) => total + value, 0);
      const close = weights.filter(
        (weight) => String(weight.shape) === String(shape) && Math.abs(weight.sum! - sum) < 1e-3,
      );
      expect(close.length, `${own} [${shape}]`).toBeGreaterThan(0);
    }
    model.dispose();
  },
);

it("a SavedModel without Keras' layers is refused with the way out", async () => {
  const plain = join(folder, "plain");
  cpSync(net, plain, { recursive: true });
  rmSync(join(plain, "keras_metadata.pb"));
  await expect(loadModel(plain)).rejects.toThrow(
    /a SavedModel without layers, which only predicts: save the model in Keras as \.keras/,
  );
});

it.each(["keras_metadata.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"])(
  "%s with bytes cut off or changed is read or is one WeightsError",
  async (name) => {
    const broken = join(folder, "broken");
    cpSync(net, broken, { recursive: true });
    const whole = readFileSync(join(golden, name));
    for (let trial = 0; trial < 60; trial++) {
      const bytes = Uint8Array.from(
        trial % 3 === 0 ? whole.subarray(0, Math.floor((whole.length * trial) / 60)) : whole,
      );
      if (trial % 3 !== 0)
        bytes.fill((trial * 37) % 256, (trial * 131) % whole.length, ((trial * 131) % whole.length) + 1 + (trial % 4));
      writeFileSync(join(broken, name), bytes);
      try {
        (await loadModel(broken)).dispose();
      } catch (error) {
        expect(error).toBeInstanceOf(WeightsError);
      }
    }
    writeFileSync(join(broken, name), whole);
  },
);
