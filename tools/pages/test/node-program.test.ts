import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chain, dense, flatten, network, unitPixels } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { expect, it } from "vitest";
import { nodeProgram } from "../../../apps/playground/src/teach/node-program.ts";
import { runProgram } from "../src/run-program.ts";

// `playground.test.ts` runs the program of a page with more pictures.
it("the program for Node judges by the pictures that it learns from where there are too few to keep some", async () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-program-"));
  try {
    await useEngine("wasm");
    const classes = ["light", "dark"];
    const described = { classes, preprocessing: unitPixels, images: { size: [8, 8] } } as const;
    const body = chain([flatten(), dense(2, { activation: "softmax" })]);
    const model = network([8, 8, 3], body, { seed: 1, ...described });
    // White gives 1.92 and -1.42, black 0 and 0.5. The folders have the other order: labels by it would all be wrong.
    const kernel = Float32Array.from({ length: 192 * 2 }, (_, at) => (at % 2 === 0 ? 0.01 : -0.01));
    model.setWeights([tf.tensor2d(kernel, [192, 2]), tf.tensor1d([0, 0.5])]);
    await saveModel(model, join(folder, "model.keras"));
    for (const name of classes) {
      mkdirSync(join(folder, "pictures", name), { recursive: true });
      const image = { width: 8, height: 8, channels: 3, background: name === "light" ? "white" : "black" } as const;
      await sharp({ create: image })
        .png()
        .toFile(join(folder, "pictures", name, "1.png"));
    }
    const files = nodeProgram({ network: "small", judged: "all" }, undefined, "*");
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    expect(runProgram(folder, "continue.mjs")).toMatch(/^accuracy 1\.000 before, 1\.000 after$/mu);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
