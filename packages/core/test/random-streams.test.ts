import { chain, dense, dropout, registerLayers } from "@convkit/core";
import { hashText, randomStreams, seedRandomStreams } from "@convkit/core/internal";
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

  it("streams start from a layer's own seed, or from the given seed and the layer's place", async () => {
    registerLayers();
    const input = tfl.input({ shape: [64] });
    const own = chain({ drop: dropout(0.4) })(input, "");
    const stock = tfl.layers.dropout({ rate: 0.5 }).apply(own) as tfl.SymbolicTensor;
    const model = await tfl.models.modelFromJSON(
      tfl.model({ inputs: input, outputs: stock }).toJSON(null, false) as never,
    );
    model.apply(tf.ones([2, 64]), { training: true });
    seedRandomStreams(model, 7);
    const [given, place] = [hashText("drop/dropout") >>> 1, hashText("random/1", 7) >>> 1];
    expect(randomStreams(model).map((stream) => [...stream.dataSync()])).toEqual([
      [given, 0],
      [place, 0],
    ]);
  });

  it("two layers of one shape without seeds do not drop the same numbers", async () => {
    registerLayers();
    const layers = [0, 1].map((i) =>
      tfl.layers.dropout({ rate: 0.5, name: `drop${i}`, ...(i === 0 && { inputShape: [512] }) } as never),
    );
    const model = await tfl.models.modelFromJSON(tfl.sequential({ layers }).toJSON(null, false) as never);
    const kept = tf.sum(
      tf.cast(tf.greater(model.apply(tf.ones([1, 512]), { training: true }) as tf.Tensor, 0), "float32"),
    );
    // A quarter of 512 is 128, with a standard deviation of 10; the same numbers twice would keep about 256.
    expect(Math.abs((kept.dataSync()[0] ?? 0) - 128)).toBeLessThan(60);
  });
});
