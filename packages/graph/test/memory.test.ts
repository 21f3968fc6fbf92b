import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { describe, expect, test } from "vitest";
import { executable } from "../src/index.ts";
import { networks } from "./networks.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

describe.each(engines)("on %s", (engine) => {
  test("the layers of a model that was run and disposed are collected", async () => {
    await useEngine(engine);
    const { make, shape } = networks["lenet5"] as (typeof networks)[string];
    const once = async (): Promise<WeakRef<object>> => {
      const model = make();
      const layer = new WeakRef<object>(model.layers.at(-1)!);
      const predict = executable((x) => [model.apply(x!, { training: false }) as tf.Tensor]);
      await predict.run([{ data: new Float32Array(shape.reduce((a, b) => a * b)), shape: [1, ...shape] }]);
      await predict.dispose();
      model.dispose();
      return layer;
    };
    const layers = [await once(), await once(), await once()];
    for (let round = 0; round < 4; round++) {
      collectGarbage();
      await setImmediate();
    }
    // The engine's last call may still be on the stack.
    expect(layers.filter((layer) => layer.deref() !== undefined).length).toBeLessThan(2);
  });
});
