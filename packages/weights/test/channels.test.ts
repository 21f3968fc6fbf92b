import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertWeights, loadWeights, saveModel } from "../src/index.ts";

function small(channels: number, [stem, next] = ["stem", "next"], kernelSize: number | [number, number] = 3) {
  const x = tfl.input({ shape: [6, 7, channels] });
  const map = tfl.layers.conv2d({ filters: 4, kernelSize, name: stem! }).apply(x);
  const wide = tfl.layers.conv2d({ filters: 3, kernelSize: 1, name: next! }).apply(map) as tfl.SymbolicTensor;
  return tfl.model({ inputs: x, outputs: wide });
}

describe("weights for another number of channels", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-channels-"));
  const saved = ["safetensors", "h5", "keras", "weights.h5"].map((ending) => join(folder, `three.${ending}`));
  const [arrays, folderOfTfjs] = [join(folder, "three.npz"), join(folder, "three-tfjs")];
  const files = [...saved, arrays, folderOfTfjs];
  let three: tfl.LayersModel;
  beforeAll(async () => {
    await useEngine();
    three = small(3);
    for (const file of saved) await saveModel(three, file);
    await saveModel(three, folderOfTfjs, { format: "tfjs" });
    await convertWeights(saved[0]!, arrays);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const worst = (a: tf.Tensor, b: tf.Tensor): number => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;

  it.each(files)("sum up to one channel, and repeat for more, from %s", async (file) => {
    const gray = small(1);
    await loadWeights(gray, file, { channels: "adapt" });
    const x = tf.randomUniform([2, 6, 7, 1], -1, 1, "float32", 1);
    // A gray image is one of three equal colors.
    const colors = tf.concat([x, x, x], 3);
    expect(worst(gray.predict(x) as tf.Tensor, three.predict(colors) as tf.Tensor)).toBeLessThan(1e-5);

    const six = small(6);
    await loadWeights(six, file, { channels: "adapt" });
    const image = tf.randomUniform([2, 6, 7, 3], -1, 1, "float32", 2);
    // The three colors twice, each with half of its weight.
    const twice = tf.concat([image, image], 3);
    expect(worst(six.predict(twice) as tf.Tensor, three.predict(image) as tf.Tensor)).toBeLessThan(1e-5);

    const four = small(4);
    await loadWeights(four, file, { channels: "adapt" });
    // The fourth channel is the first color again; all have 3 / 4 of their weights.
    const single = tf.concat([tf.zeros([2, 6, 7, 3]), x], 3);
    const red = tf.concat([tf.mul(x, 0.75), tf.zeros([2, 6, 7, 2])], 3);
    expect(worst(four.predict(single) as tf.Tensor, three.predict(red) as tf.Tensor)).toBeLessThan(1e-5);
  });

  it.each(["channels.pth", "channels-tfjs"])("have the stem of timm's adapt_input_conv, from %s", async (name) => {
    // tools/golden/weights-channels.py wrote both.
    const state = fileURLToPath(new URL("golden/channels.pth", import.meta.url));
    const stems = JSON.parse(readFileSync(new URL("golden/channels.json", import.meta.url), "utf8")) as Record<
      string,
      number[]
    >;
    const like = (channels: number) => small(channels, ["b0", "b1"], [3, 2]);
    let file = state;
    if (name !== "channels.pth") {
      const model = like(3);
      await loadWeights(model, state);
      file = join(folder, name);
      await saveModel(model, file, name === "channels-tfjs" ? { format: "tfjs" } : {});
    }
    for (const [channels, stem] of Object.entries(stems)) {
      const model = like(Number(channels));
      await loadWeights(model, file, { channels: "adapt" });
      const found = Array.from(model.getWeights()[0]!.dataSync());
      expect(Math.max(...stem.map((value, i) => Math.abs(value - found[i]!))), `${channels} channels`).toBeLessThan(
        1e-6,
      );
    }
  });

  it.each(files)("are refused with the way out, if nobody asks for that, from %s", async (file) => {
    const gray = small(1);
    const before = gray.getWeights().map((weight) => weight.dataSync().slice());
    await expect(loadWeights(gray, file)).rejects.toThrow('give channels: "adapt"');
    expect(gray.getWeights().map((weight) => weight.dataSync())).toEqual(before);
  });
});
