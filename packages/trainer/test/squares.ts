import { fromArrays, type IndexedDataset } from "@convkit/datasets";
import * as tfl from "@tensorflow/tfjs-layers";

/** Images of 8x8 with a bright left half (class 0) or right half (class 1) under noise: learned in a few steps. */
export function halves(
  count: number,
  options: { readonly first?: number; readonly name?: string } = {},
): IndexedDataset {
  const { first = 0, name = "halves" } = options;
  const images = new Uint8Array(count * 64);
  const labels = Int32Array.from({ length: count }, (_, i) => (first + i) % 2);
  let state = 12_345 + first;
  for (let i = 0; i < images.length; i += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    const right = i % 8 >= 4 ? 1 : 0;
    images[i] = (right === labels[Math.floor(i / 64)]! ? 160 : 60) + ((state >> 16) % 60);
  }
  return fromArrays({ images, shape: [8, 8, 1], labels, classes: ["left", "right"], name });
}

/** A small convolutional network for 8x8 images with weights that follow from `seed`. */
export function smallNet(
  options: { readonly outputs?: number; readonly seed?: number; readonly dropout?: number } = {},
): tfl.LayersModel {
  const { outputs = 2, seed = 1, dropout = 0 } = options;
  const kernelInitializer = (offset: number) => tfl.initializers.glorotUniform({ seed: seed + offset });
  const input = tfl.input({ shape: [8, 8, 1] });
  const conv = tfl.layers
    .conv2d({ filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: kernelInitializer(0) })
    .apply(input);
  const norm = tfl.layers.batchNormalization().apply(conv);
  const flat = tfl.layers.flatten().apply(norm);
  const kept = dropout === 0 ? flat : tfl.layers.dropout({ rate: dropout }).apply(flat);
  const dense = tfl.layers.dense({
    units: outputs,
    activation: outputs === 1 ? "sigmoid" : "softmax",
    kernelInitializer: kernelInitializer(9),
  });
  return tfl.model({ inputs: input, outputs: dense.apply(kept) as tfl.SymbolicTensor, name: "small-net" });
}
