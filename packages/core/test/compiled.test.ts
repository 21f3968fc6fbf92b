import {
  adaptiveAvgPool,
  batchNorm,
  chain,
  conv,
  dropout,
  groupNorm,
  localResponseNorm,
  maxPool,
  padChannels,
  shuffleChannels,
  sliceChannels,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { compile } from "@convkit/graph";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

function modelOf(block: Block, shape: number[]): tfl.LayersModel {
  const input = tfl.input({ shape });
  return tfl.model({ inputs: input, outputs: block(input, "layer") });
}

// Only TensorFlow's engines run graphs.
describe.each(engines.filter((engine) => engine !== "wasm"))("as a graph on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    tf.env().set("IS_TEST", false);
  });

  it("layers give what they give eagerly, gradients and moving statistics too", async () => {
    const block = chain({
      conv1: conv(8, 3, { padding: 1, stride: 2, groups: 2 }),
      bn1: batchNorm({ momentum: 0.9 }),
      pool: maxPool(3, 2, { padding: 1, ceil: true }),
      lrn: localResponseNorm({ alpha: 0.1 }),
      dilated: conv(8, 3, { padding: "same", dilation: 2 }),
      gn: groupNorm(4),
      pad: padChannels(1, 1),
      some: sliceChannels(1, 8),
      shuffled: shuffleChannels(2),
      thin: conv(6, 1, { padding: "valid", stride: 2 }),
      mean: adaptiveAvgPool(2),
    });
    const x = tf.randomNormal([4, 15, 15, 4], 0, 1, "float32", 1);
    const run = async (isCompiled: boolean): Promise<Float32Array[]> => {
      const model = modelOf(block, [15, 15, 4]);
      const optimizer = tf.train.sgd(0.1);
      const step = (x: tf.Tensor): tf.Scalar =>
        optimizer.minimize(
          () => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)),
          true,
        ) as tf.Scalar;
      const compiled = compile(step);
      for (let i = 0; i < 3; i++) {
        if (isCompiled) await compiled(x);
        else tf.tidy(() => void step(x));
      }
      const weights = model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
      await compiled.dispose();
      model.dispose();
      return weights;
    };
    const [eager, graph] = [await run(false), await run(true)];
    eager.forEach((values, i) => values.forEach((value, j) => expect(graph[i]?.[j]).toBeCloseTo(value, 4)));
  });

  it("dropout draws anew at every run, as eagerly", async () => {
    const x = tf.ones([16, 4, 4, 2]);
    const draws = async (isCompiled: boolean): Promise<string[]> => {
      const model = modelOf(dropout(0.5), [4, 4, 2]);
      const apply = (x: tf.Tensor): tf.Tensor => model.apply(x, { training: true }) as tf.Tensor;
      const compiled = compile(apply);
      const results: string[] = [];
      for (let i = 0; i < 3; i++) results.push((isCompiled ? (await compiled(x)).data : apply(x).dataSync()).join());
      await compiled.dispose();
      return results;
    };
    const [eager, graph] = [await draws(false), await draws(true)];
    expect(new Set(eager).size).toBe(3);
    expect(graph).toEqual(eager);
  });
});
