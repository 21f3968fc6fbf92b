import { readFileSync } from "node:fs";
import { type EngineName, useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type OptimizerConfig, train } from "../src/index.ts";
import { data, network } from "./arithmetic.ts";

/** Weights after twenty steps of the whole data, by Keras. */
const golden = JSON.parse(readFileSync(new URL("golden/optimizers.json", import.meta.url), "utf8")) as {
  cases: readonly { readonly optimizer: OptimizerConfig; readonly weights: readonly number[] }[];
};

const paths = engines
  .filter((name) => name !== "gpu")
  .flatMap((name): (readonly [EngineName, boolean])[] => {
    const engine: EngineName = name;
    return engine === "wasm" ? [[engine, true]] : [false, true].map((eager) => [engine, eager]);
  });

describe.each(paths)("twenty steps equal Keras' on %s, eager: %s", (engine, eager) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs counts tensors kernel by kernel in tests, and miscounts those of tfjs-node.
    tf.env().set("IS_TEST", false);
  });

  test.each(golden.cases.map((each) => [JSON.stringify(each.optimizer), each] as const))(
    "%s",
    async (_title, { optimizer, weights }) => {
      const model = network();
      const splits = { name: "small", train: data };
      const execution = { eager };
      await train({ model, data: splits, epochs: 20, batch: data.size, optimizer, execution, restoreBest: false });
      const got = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
      weights.forEach((value, i) => expect(got[i], `weight ${i}`).toBeCloseTo(value, 5));
    },
  );
});
