import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { dropBlock, network } from "../src/index.ts";
import { dropBlocks } from "../src/layers/drop-block.ts";

interface Case {
  shape: [number, number, number, number];
  size: number;
  rate: number;
  scale: number;
  x: number[];
  drawn: number[];
  y: number[];
  gradient: number[];
}

const cases = JSON.parse(readFileSync(new URL("./golden/drop-block.json", import.meta.url), "utf8")) as Case[];

describe.each(engines)("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
  });

  it.each(cases)("drops timm's blocks of $size in $shape", ({ shape, size, rate, scale, x, drawn, y, gradient }) => {
    const [n, h, w] = shape;
    const draws = tf.tensor4d(drawn, [n, h, w, 1]);
    const { value, grad } = tf.valueAndGrad((input: tf.Tensor) =>
      dropBlocks(input as tf.Tensor4D, draws, { size, rate, scale }),
    )(tf.tensor4d(x, shape));
    y.forEach((wanted, i) => expect(value.dataSync()[i], `value ${i}`).toBeCloseTo(wanted, 5));
    gradient.forEach((wanted, i) => expect(grad.dataSync()[i], `gradient ${i}`).toBeCloseTo(wanted, 5));
  });

  it("is the identity in prediction, draws anew in training, and is saved", () => {
    const model = network([8, 8, 2], dropBlock(0.3, { size: 3 }));
    const x = tf.ones<tf.Rank.R4>([2, 8, 8, 2]);
    expect([...(model.predict(x) as tf.Tensor).dataSync()]).toEqual([...x.dataSync()]);
    const draw = () => [...(model.apply(x, { training: true }) as tf.Tensor).dataSync()];
    const [first, second] = [draw(), draw()];
    expect(second).not.toEqual(first);
    for (const values of [first, second]) {
      // Kept values carry the mean of the dropped ones.
      expect(values.reduce((sum, each) => sum + each, 0)).toBeCloseTo(x.size, 2);
      expect(values.filter((each) => each === 0).length).toBeGreaterThan(0);
    }
    expect(model.layers[1]!.getConfig()).toMatchObject({ rate: 0.3, size: 3, scale: 1 });
  });
});
