import {
  add,
  chain,
  concat,
  conv,
  dense,
  dropout,
  flatten,
  globalAvgPool,
  identity,
  maxPool,
  network,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { gradCam } from "@convkit/inspect";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openOnnx } from "../src/formats/onnx/run.ts";
import { saveModel, verifySaved } from "../src/index.ts";

const same = { padding: "same", activation: "relu" } as const;
const pool = maxPool(2, 2, { padding: "valid" });
const branches = { pool, join: concat({ a: conv(4, 1, same), b: conv(3, 3, same) }) };

/** A network of that block for images of 12 x 16, and the layer whose map is weighted. */
const cases: Readonly<Record<string, { readonly block: Block; readonly layer?: string; readonly nested?: boolean }>> = {
  "global average pooling and softmax": {
    block: chain({
      stem: conv(5, 3, same),
      ...branches,
      mean: globalAvgPool(),
      top: dense(6, { activation: "softmax" }),
    }),
  },
  "flattened, two dense layers": {
    block: chain({
      stem: conv(5, 3, same),
      pool,
      flat: flatten(),
      hidden: dense(9, { activation: "relu" }),
      drop: dropout(0.5),
      top: dense(4),
    }),
  },
  "convolutions and a sum after the map": {
    block: chain({
      stem: conv(5, 3, same),
      sum: add({ after: conv(5, 3, { ...same, stride: 1 }), shortcut: identity }),
      last: conv(3, 3, { padding: "same", stride: 2, activation: "relu" }),
      mean: globalAvgPool(),
      top: dense(4, { activation: "softmax" }),
    }),
    layer: "stem",
  },
  "one sigmoid, in a nested model": {
    block: chain({
      stem: conv(5, 3, same),
      ...branches,
      mean: globalAvgPool(),
      top: dense(1, { activation: "sigmoid" }),
    }),
    nested: true,
  },
};

/** Gives the last layer a bias with which the images' mean scores are 0, so that their classes differ. */
function centerScores(model: tfl.LayersModel, images: tf.Tensor): void {
  const top = model.layers.at(-1)!;
  const features = tfl.model({ inputs: model.inputs, outputs: top.input as tfl.SymbolicTensor }).predict(images);
  const [kernel] = top.getWeights();
  top.setWeights([kernel!, tf.neg(tf.mean(tf.matMul(features as tf.Tensor2D, kernel as tf.Tensor2D), 0))]);
}

describe("Grad-CAM as an output of an ONNX file", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-onnx-cam-"));
  beforeAll(async () => {
    await useEngine();
    // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
    tf.env().set("IS_TEST", false);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(cases))(
    "equals gradCam in ONNX Runtime: %s",
    async (name, { block, layer, nested = false }) => {
      const inner = network([12, 16, 3], block, { seed: 4 });
      // Colors differ from image to image, so that their classes do.
      const colors = tf.randomNormal([6, 1, 1, 3], 0, 3, "float32", 5);
      const images = tf.add(tf.randomNormal([6, 12, 16, 3], 0, 1, "float32", 3), colors) as tf.Tensor4D;
      centerScores(inner, images);
      const input = tfl.input({ shape: [12, 16, 3] });
      const model = nested ? tfl.model({ inputs: input, outputs: inner.apply(input) as tfl.SymbolicTensor }) : inner;
      const path = join(folder, `${name}.onnx`);
      const saved = await saveModel(model, path, { gradCam: layer ?? true });
      const file = await openOnnx(path);
      const [scores, heat] = await file.run([images]);
      await file.dispose();
      const wanted = (model.predict(images) as tf.Tensor).dataSync();
      expect(Math.max(...scores!.dataSync().map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(1e-5);
      const classes = new Set<number>();
      for (let i = 0; i < 6; i++) {
        const { map, class: found } = await gradCam(model, tf.slice(images, i, 1), { layer });
        classes.add(found);
        expect(heat!.shape).toEqual([6, ...map.shape]);
        const own = tf.slice(heat!, i, 1).dataSync();
        const most = Math.max(...map.values);
        map.values.forEach((value, at) => expect(Math.abs(own[at]! - value)).toBeLessThan(1e-5 + 1e-4 * most));
      }
      expect(classes.size).toBeGreaterThan(1);
      expect(await verifySaved(model, saved)).toMatchObject({ holds: true });
    },
  );

  it("is compared when the file is verified", async () => {
    const { block } = cases["convolutions and a sum after the map"]!;
    const model = network([12, 16, 3], block, { seed: 4 });
    const saved = await saveModel(model, join(folder, "verified.onnx"), { gradCam: "stem" });
    const before = tf.memory().numTensors;
    expect((await verifySaved(model, saved)).relative).toBeLessThan(1e-5);
    expect(tf.memory().numTensors).toBe(before);
    // The map of another layer has the same size, and other values.
    const { holds } = await verifySaved(model, { ...saved, gradCam: "sum" });
    expect(holds).toBe(false);
  });

  it("refuses by name what has no backward operator, and a way around the map", async () => {
    const head = { mean: globalAvgPool(), top: dense(4) };
    const pooled = network([12, 16, 3], chain({ stem: conv(5, 3, same), pool, ...head }));
    const path = join(folder, "no.onnx");
    await expect(saveModel(pooled, path, { gradCam: "stem" })).rejects.toThrow(/Grad-CAM of stem.*MaxPoolGrad/);
    const around = network(
      [12, 16, 3],
      chain({ stem: conv(3, 3, same), sum: add({ a: conv(3, 3, same), shortcut: identity }), ...head }),
    );
    await expect(saveModel(around, path, { gradCam: "sum.a" })).rejects.toThrow(/a way goes around it/);
    await expect(saveModel(around, path, { gradCam: "sun.a" })).rejects.toThrow(/Did you mean "sum\.a"/);
    await expect(saveModel(around, join(folder, "no.keras"), { gradCam: true })).rejects.toThrow(/for ONNX files/);
  });
});
