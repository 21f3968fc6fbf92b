import { chain, dense, dropout } from "@convkit/core";
import { randomStreams } from "@convkit/core/internal";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

/** A model with dropout in it and in a model within it. */
function nested(): tfl.LayersModel {
  const inner = tfl.input({ shape: [64] });
  const body = chain({ drop: dropout(0.4), fc: dense(64) })(inner, "");
  const x = tfl.input({ shape: [64] });
  const within = tfl.model({ inputs: inner, outputs: body, name: "within" }).apply(x) as tfl.SymbolicTensor;
  return tfl.model({ inputs: x, outputs: chain({ last: dropout(0.5) })(within, "") });
}

describe.each(engines)("%s", (engine) => {
  beforeAll(async () => void (await useEngine(engine)));

  it("a model that gets another's streams goes on with its random numbers", async () => {
    const x = tf.ones([2, 64]);
    const draw = async (model: tfl.LayersModel) =>
      Array.from(await (model.apply(x, { training: true }) as tf.Tensor).data());
    const [first, second] = [nested(), nested()];
    const [one, two] = [await draw(first), await draw(first)];
    expect(two).not.toEqual(one);
    expect(randomStreams(first)).toHaveLength(2);
    const weights = randomStreams(first).map((stream) => Array.from(stream.dataSync()));
    expect(weights.map(([, calls]) => calls)).toEqual([2, 2]);
    for (const [index, stream] of randomStreams(second).entries()) stream.assign(randomStreams(first)[index]!);
    second.setWeights(first.getWeights());
    const third = await draw(first);
    expect(await draw(second)).toEqual(third);
    expect(third).not.toEqual(two);
  });
});
