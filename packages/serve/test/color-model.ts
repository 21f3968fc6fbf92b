import { setModelMetadata } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

export const colors = ["red", "green", "blue"];

/** Names the color of an image of 6x8 pixels: the mean of each channel, times `gain`, to a softmax. */
export function colorModel(gain = 4): tfl.LayersModel {
  const input = tfl.input({ shape: [6, 8, 3], name: "image" });
  const mean = tfl.layers.globalAveragePooling2d({}).apply(input);
  const head = tfl.layers.dense({ units: 3, activation: "softmax", name: "color" });
  const model = tfl.model({ inputs: input, outputs: head.apply(mean) as tfl.SymbolicTensor });
  head.setWeights([tf.mul(tf.eye(3), gain), tf.zeros([3])]);
  setModelMetadata(model, { classes: colors, preprocessing: { scale: 1 / 255 } });
  return model;
}

/** What `colorModel` gives for an image of one color, by arithmetic. */
export function colorScores(color: readonly number[], gain = 4): number[] {
  const powers = color.map((value) => Math.exp((gain * value) / 255));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** An image of one color, `[6, 8, 3]`. */
export function filled(color: readonly number[]): number[][][] {
  return Array.from({ length: 6 }, () => Array.from({ length: 8 }, () => [...color]));
}

/** Two inputs of three numbers; two outputs: their sum and their difference. */
export function sumAndDifference(): tfl.LayersModel {
  const [a, b] = [tfl.input({ shape: [3], name: "a" }), tfl.input({ shape: [3], name: "b" })];
  const eye = () => tf.eye(3);
  const negative = tfl.layers.dense({ units: 3, useBias: false, name: "negative" });
  const minus = negative.apply(b) as tfl.SymbolicTensor;
  negative.setWeights([tf.mul(eye(), -1)]);
  const sum = tfl.layers.add({ name: "sum" }).apply([a, b]) as tfl.SymbolicTensor;
  const difference = tfl.layers.add({ name: "difference" }).apply([a, minus]) as tfl.SymbolicTensor;
  return tfl.model({ inputs: [a, b], outputs: [sum, difference] });
}
