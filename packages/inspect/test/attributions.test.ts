import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import {
  featureMaps,
  gradCam,
  gradCamPlusPlus,
  guidedBackprop,
  guidedGradCam,
  integratedGradients,
  occlusion,
  saliency,
  scoreCam,
} from "@convkit/inspect";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { branches, flat, image, size } from "./small-networks.ts";

interface Golden extends Record<string, number | number[]> {
  readonly class: number;
  readonly logits: number[];
}

function golden(name: string): Golden {
  const path = new URL(`golden/attributions-${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as Golden;
}

/** The largest difference as a share of the largest expected value. */
function difference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(found.length).toBe(wanted.length);
  const scale = Array.from(wanted).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(scale).toBeGreaterThan(0);
  return Array.from(wanted).reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0) / scale;
}

/** The network inside another model, called after a layer that changes nothing. */
function nested(inner: tfl.LayersModel): tfl.LayersModel {
  const input = tfl.input({ shape: [...size] });
  const before = tfl.layers.activation({ activation: "linear" }).apply(input);
  return tfl.model({ inputs: input, outputs: inner.apply(before) as tfl.SymbolicTensor });
}

const methods = { gradCam, gradCamPlusPlus, scoreCam, saliency, integratedGradients, occlusion, guidedBackprop };
const optionsOf: Readonly<Record<string, object>> = {
  integratedGradients: { steps: 20 },
  occlusion: { window: 5, stride: 3, value: 0.25 },
};

describe.each(engines)("attributions (%s)", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
    tf.env().set("IS_TEST", false);
  });

  const networks = {
    "branches, softmax": () => ({ model: branches(), wanted: golden("branches") }),
    "branches, logits, nested": () => ({ model: nested(branches("linear")), wanted: golden("branches") }),
    "flat, softmax, nested": () => ({ model: nested(flat()), wanted: golden("flat") }),
    "flat, logits": () => ({ model: flat("linear"), wanted: golden("flat") }),
  };

  it.each(Object.entries(networks))("equal pytorch-grad-cam's and captum's: %s", async (_, make) => {
    const { model, wanted } = make();
    const x = image();
    const before = tf.memory().numTensors;
    for (const [name, method] of Object.entries(methods)) {
      const found = await method(model, x, { class: wanted.class, ...optionsOf[name] });
      expect([name, difference(found.values, wanted[name] as number[]) < 1e-4]).toEqual([name, true]);
      expect(Math.abs(found.score - wanted.logits[wanted.class]!)).toBeLessThan(1e-5);
      expect(found.isLogit).toBe(true);
    }
    expect(tf.memory().numTensors).toBe(before);
    const best = await gradCam(model, x);
    expect(best.class).toBe(wanted.logits.indexOf(Math.max(...wanted.logits)));
  });

  it("integrated gradients add up to the difference of two logits", async () => {
    const model = flat();
    const baseline = tf.fill([...size], 0.3) as tf.Tensor3D;
    const { values, score, baselineScore, gap } = await integratedGradients(model, image(), {
      class: 3,
      baseline,
      steps: 500,
    });
    const logits = flat("linear").predict(tf.stack([image(), baseline])) as tf.Tensor2D;
    const [ours, theirs] = [logits.arraySync()[0]![3]!, logits.arraySync()[1]![3]!];
    expect(score).toBeCloseTo(ours, 6);
    expect(baselineScore).toBeCloseTo(theirs, 6);
    expect(Math.abs(values.reduce((a, b) => a + b, 0) - (ours - theirs))).toBeLessThan(2e-3 * Math.abs(ours - theirs));
    expect(gap).toBeCloseTo(values.reduce((a, b) => a + b, 0) - (ours - theirs), 5);
  });

  it("SmoothGrad is the mean gradient over noisy images; of one image the gradient by differences", async () => {
    const model = flat();
    const x = image();
    const smooth = await saliency(model, x, { class: 1, samples: 3, noise: 0.1, seed: 5 });
    const pixels = [...x.dataSync()];
    const range = Math.max(...pixels) - Math.min(...pixels);
    const sum = new Float64Array(pixels.length);
    for (let sample = 0; sample < 3; sample++) {
      const noisy = tf.add(x, tf.randomNormal([1, ...size], 0, 0.1 * range, "float32", 5 + sample)) as tf.Tensor4D;
      const { values } = await saliency(model, noisy, { class: 1 });
      values.forEach((value, i) => (sum[i]! += value / 3));
    }
    expect(difference(smooth.values, sum)).toBeLessThan(1e-5);
    const { values } = await saliency(model, x, { class: 1 });
    const logits = flat("linear");
    const logit = (shift: number, at: number): number => {
      const moved = Float32Array.from(pixels, (value, i) => (i === at ? value + shift : value));
      return (logits.predict(tf.tensor4d(moved, [1, ...size])) as tf.Tensor).dataSync()[1]!;
    };
    for (const at of [100, 333, 610]) expect((logit(1e-2, at) - logit(-1e-2, at)) / 2e-2).toBeCloseTo(values[at]!, 3);
  });

  it("occlusion and Score-CAM are what plain loops over changed images give", async () => {
    const logits = flat("linear");
    const pixels = [...image().dataSync()];
    const [height, width, channels] = size;
    const scoreOf = (changed: (value: number, y: number, x: number) => number): number => {
      const values = pixels.map((value, i) =>
        changed(value, Math.floor(i / (width * channels)), Math.floor(i / channels) % width),
      );
      return (logits.predict(tf.tensor4d(values, [1, ...size])) as tf.Tensor).dataSync()[2]!;
    };
    const clean = scoreOf((value) => value);
    const [window, stride] = [6, 4];
    const { drops, values } = await occlusion(flat(), image(), { class: 2, window, stride, value: 0.5 });
    // Windows start at 0, 4, … as long as the one before leaves pixels: 0, 4, 8, 12 of 16 rows, and up to 16 of 20 columns.
    const rows = [0, 4, 8, 12];
    const columns = [0, 4, 8, 12, 16];
    const wanted = rows.flatMap((top) =>
      columns.map(
        (left) =>
          clean -
          scoreOf((value, y, x) => (y >= top && y < top + window && x >= left && x < left + window ? 0.5 : value)),
      ),
    );
    expect(drops.shape).toEqual([4, 5]);
    expect(difference(drops.values, wanted)).toBeLessThan(1e-4);
    const covering = wanted.filter((_, i) => {
      const [top, left] = [rows[Math.floor(i / 5)]!, columns[i % 5]!];
      return 9 >= top && 9 < top + window && 13 >= left && 13 < left + window;
    });
    expect(covering).toHaveLength(4);
    expect(values[9 * width + 13]).toBeCloseTo(covering.reduce((a, b) => a + b, 0) / 4, 5);

    const { weights, layer } = await scoreCam(flat(), image(), { class: 2 });
    const [map] = await featureMaps(flat(), image(), { layers: [layer] });
    const [mapHeight, mapWidth, filters] = map!.shape as [number, number, number];
    const scores = Array.from({ length: filters }, (_, filter) => {
      const at = (y: number, x: number): number => map!.values[(y * mapWidth + x) * filters + filter]!;
      // Bilinear, with the corners of both maps at the same place.
      const large = Array.from({ length: height * width }, (__, i) => {
        const y = (Math.floor(i / width) * (mapHeight - 1)) / (height - 1);
        const x = ((i % width) * (mapWidth - 1)) / (width - 1);
        const [top, left] = [Math.min(Math.floor(y), mapHeight - 2), Math.min(Math.floor(x), mapWidth - 2)];
        const row = (down: number): number =>
          at(top + down, left) * (1 - x + left) + at(top + down, left + 1) * (x - left);
        return row(0) * (1 - y + top) + row(1) * (y - top);
      });
      const [least, most] = [Math.min(...large), Math.max(...large)];
      return scoreOf((value, y, x) => (value * (large[y * width + x]! - least)) / (most - least + 1e-8));
    });
    const powers = scores.map((score) => Math.exp(score));
    const total = powers.reduce((a, b) => a + b, 0);
    expect(
      difference(
        weights,
        powers.map((power) => power / total),
      ),
    ).toBeLessThan(1e-4);
  });

  it("guided Grad-CAM is the product of both", async () => {
    const model = branches();
    const [cam, guided] = [
      await gradCam(model, image(), { class: 1 }),
      await guidedBackprop(model, image(), { class: 1 }),
    ];
    const both = await guidedGradCam(model, image(), { class: 1 });
    expect(both.layer).toBe("relu");
    for (const i of [0, 100, 500, 959]) {
      expect(both.values[i]).toBeCloseTo(guided.values[i]! * cam.values[Math.floor(i / 3)]!, 7);
    }
  });

  it("one sigmoid speaks for class 1, its negative for class 0", async () => {
    const input = tfl.input({ shape: [4, 6, 1] });
    const map = tfl.layers.globalAveragePooling2d({}).apply(tfl.layers.activation({ activation: "relu" }).apply(input));
    const model = tfl.model({
      inputs: input,
      outputs: tfl.layers.dense({ units: 1, activation: "sigmoid" }).apply(map) as tfl.SymbolicTensor,
    });
    model.layers.at(-1)!.setWeights([tf.tensor2d([[24]]), tf.tensor1d([-1])]);
    const x = tf.ones([4, 6, 1]) as tf.Tensor3D;
    const [one, zero] = [await saliency(model, x), await saliency(model, x, { class: 0 })];
    expect([one.class, one.score, zero.score]).toEqual([1, 23, -23]);
    expect([one.values[7], zero.values[7]]).toEqual([1, -1]);
  });

  it("refuses in one sentence", async () => {
    const model = branches();
    await expect(gradCam(model, image(), { layer: "stam" })).rejects.toThrow('Did you mean "stem"?');
    await expect(gradCam(model, image(), { layer: "head" })).rejects.toThrow("head has [null,4]");
    await expect(gradCam(model, image(), { class: 4 })).rejects.toThrow("class as a number from 0 to 3, got 4");
    await expect(gradCam(model, tf.zeros<tf.Rank.R3>([20, 16, 3]))).rejects.toThrow(
      "tensor [16,20,3], preprocessed, got one of [20,16,3]",
    );
    await expect(occlusion(model, image(), { windw: 3 } as never)).rejects.toThrow('Did you mean "window"?');
    await expect(scoreCam(model, tf.zeros<tf.Rank.R4>([2, ...size]))).rejects.toThrow("expected one image, got 2");
  });
});
