import { useEngine } from "@convkit/engine";
import { engines, peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";
import { runPython } from "./peers/run-python.ts";

interface Statistics {
  readonly image: readonly number[];
  readonly shape: readonly [number, number, number];
  readonly copies: number;
  readonly layers: Record<string, Record<"mean" | "deviation" | "low" | "high", readonly number[]> & { scale: number }>;
}

const names = [
  "flip",
  "rotation",
  "rotation-nearest",
  "zoom",
  "zoom-two",
  "translation",
  "shear",
  "brightness",
  "brightness-one",
  "contrast",
  "contrast-two",
  "hue",
  "saturation",
  "erasing",
] as const;

describe.skipIf(peerPython === undefined)("random layers that Keras 3 saved", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-keras-augmentation-"));
  let told: Statistics;
  beforeAll(() => {
    runPython("keras-augmentation.py", folder);
    told = JSON.parse(readFileSync(join(folder, "statistics.json"), "utf8")) as Statistics;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describe.each(engines.filter((name) => name !== "gpu"))("on %s", (engine) => {
    beforeAll(async () => {
      await useEngine(engine);
    });

    it.each(names)("%s predicts its input, and trains with Keras' distribution", async (name) => {
      const model = await loadModel(join(folder, `${name}.keras`));
      const { scale, mean, deviation, low, high } = told.layers[name]!;
      const one = tf.tensor(
        told.image.map((value) => value * scale),
        [1, ...told.shape],
      );
      expect((model.predict(one) as tf.Tensor).dataSync()).toEqual(one.dataSync());
      const { copies } = told;
      const [drawnMean, drawnDeviation, below, above] = tf.tidy(() => {
        const results = model.apply(tf.tile(one, [copies, 1, 1, 1]), { training: true }) as tf.Tensor;
        const { mean, variance } = tf.moments(results, 0);
        const like = (values: readonly number[], by: number) =>
          tf.tensor(
            values.map((value) => value + by),
            [1, ...told.shape],
          );
        const share = (isOut: tf.Tensor) => tf.mean(tf.cast(isOut, "float32"), 0);
        const outside = [tf.less(results, like(low, -1e-3)), tf.greater(results, like(high, 1e-3))].map(share);
        return [mean, tf.sqrt(variance), ...outside].map((each) => [...each.dataSync()]) as [
          number[],
          number[],
          number[],
          number[],
        ];
      });
      for (const [pixel, expected] of mean.entries()) {
        const spread = deviation[pixel]!;
        // Both means have an error of spread / sqrt(copies); the deviation's is larger where few draws make it.
        expect(Math.abs(drawnMean[pixel]! - expected)).toBeLessThan((7 * spread) / Math.sqrt(copies) + 1e-3);
        const rare = 0.01 * (high[pixel]! - low[pixel]!);
        expect(Math.abs(drawnDeviation[pixel]! - spread)).toBeLessThan(0.12 * spread + rare + 1e-3);
        // Keras' extremes are those of its draws: a few of other draws may pass them.
        expect(below[pixel]! + above[pixel]!).toBeLessThan(0.01);
      }
      model.dispose();
    });
  });

  it("are read by Keras again, with the same configuration", async () => {
    for (const name of [...names, "flip-both"]) {
      const model = await loadModel(join(folder, `${name}.keras`));
      await saveModel(model, join(folder, `${name}.back.keras`));
      model.dispose();
    }
    const back = JSON.parse(runPython("keras-augmentation-back.py", folder).trim().split("\n").at(-1)!) as Record<
      string,
      [string, Record<string, unknown>, boolean]
    >;
    expect(back).toMatchObject({
      flip: ["RandomFlip", { mode: "horizontal", data_format: "channels_last" }, true],
      "flip-both": ["RandomFlip", { mode: "horizontal_and_vertical" }, true],
      rotation: ["RandomRotation", { factor: [-0.1, 0.1], fill_mode: "constant", fill_value: 7 }, true],
      "rotation-nearest": ["RandomRotation", { factor: [-0.05, 0.2], interpolation: "nearest" }, true],
      zoom: ["RandomZoom", { height_factor: [-0.3, 0.3], width_factor: null, fill_mode: "nearest" }, true],
      "zoom-two": ["RandomZoom", { height_factor: [-0.3, 0.1], width_factor: [0, 0.4] }, true],
      translation: ["RandomTranslation", { height_factor: [-0.2, 0.2], width_factor: [0, 0.3] }, true],
      brightness: ["RandomBrightness", { factor: [-0.3, 0.3], value_range: [0, 255] }, true],
      "brightness-one": ["RandomBrightness", { factor: [0.1, 0.4], value_range: [0, 1] }, true],
      contrast: ["RandomContrast", { factor: [0, 0.4] }, true],
      "contrast-two": ["RandomContrast", { factor: [0.2, 0.5] }, true],
      hue: ["RandomHue", { factor: [0, 0.4] }, true],
      saturation: ["RandomSaturation", { factor: [0.3, 0.5] }, true],
      erasing: ["RandomErasing", { factor: [0, 0.9], scale: [0.1, 0.4], fill_value: 3 }, true],
      shear: ["RandomShear", {}, true],
    });
  });
});
