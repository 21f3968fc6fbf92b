import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { describe, expect, test } from "vitest";
import { accelerate } from "../src/index.ts";

describe.runIf(engines.includes("wasm"))("accelerate on the wasm engine", () => {
  test("runs eagerly, says so once, and gives eager tfjs' numbers", async () => {
    await useEngine("wasm");
    tf.env().set("IS_TEST", false);
    const run = async (onNotice?: (line: string) => void) => {
      const model = tfl.sequential({
        layers: [tfl.layers.dense({ units: 1, inputShape: [2], kernelInitializer: "ones" })],
      });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: "meanSquaredError" });
      const accelerated = onNotice === undefined ? undefined : accelerate(model, { onNotice });
      const [x, y] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([1, 0], [2, 1])];
      const { history } = await model.fit(x, y, { epochs: 2, batchSize: 2, verbose: 0, shuffle: false });
      const result = [...(history["loss"] as number[]), ...(model.predict(x) as tf.Tensor).dataSync()];
      await accelerated?.dispose();
      return result;
    };
    const notices: string[] = [];
    const got = await run((line) => notices.push(line));
    expect(got).toEqual(await run());
    // (3 - 1)^2 and (7 - 0)^2, halved.
    expect(got[0]).toBeCloseTo(26.5, 4);
    expect(notices).toEqual([
      expect.stringMatching(/^Training of the model \S+ runs eagerly: .*"tensorflow" backend.*"wasm"/),
      expect.stringMatching(/^Prediction of the model/),
    ]);
  });
});
