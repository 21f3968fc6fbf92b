import type { Recipe } from "./plan.ts";

/** Several labels an image. */
export const multiMnist: Recipe = {
  name: "lenet5-multi-mnist",
  about: "several labels: which two digits lie over each other (Sabour, Frosst and Hinton 2017)",
  model: "lenet5",
  modelOptions: { input: [36, 36, 1] },
  data: "multi-mnist",
  validation: "test",
  metrics: ["f1", "mean-average-precision"],
  optimizer: { name: "adam", learningRate: 0.001 },
  schedule: { name: "cosine", min: 0.01 },
  batch: 64,
  epochs: 30,
  quick: {
    limit: { train: 6000, test: 1000 },
    optimizer: { name: "adam", learningRate: 0.002 },
    batch: 32,
    epochs: 4,
    expects: { metrics: { f1: 0.55 } },
  },
};

/** A number an image. */
export const mnistCount: Recipe = {
  name: "lenet5-mnist-count",
  about: "a number: how many digits an image has (after Seguí, Pujol and Vitrià 2015)",
  model: "lenet5",
  modelOptions: { input: [72, 72, 1] },
  data: "mnist-count",
  validation: "test",
  loss: { name: "mse" },
  metrics: ["mae", "r2"],
  optimizer: { name: "adam", learningRate: 0.001 },
  schedule: { name: "cosine", min: 0.01 },
  batch: 64,
  epochs: 15,
  quick: { limit: { train: 3000, test: 500 }, batch: 32, epochs: 3, expects: { metrics: { r2: 0.9 } } },
};

/** A class for each pixel. */
export const mnistMasks: Recipe = {
  name: "unet-mnist-masks",
  about: "a class for each pixel: U-Net (Ronneberger, Fischer and Brox 2015) tells digits and ground apart",
  model: "unet",
  modelOptions: { input: [48, 48, 1], widths: [16, 32, 64, 128] },
  data: "mnist-masks",
  validation: "test",
  // Nine of ten pixels are ground: without weights, a network learns for long that all are.
  classWeights: "balanced",
  optimizer: { name: "adam", learningRate: 0.002 },
  schedule: { name: "cosine", min: 0.01 },
  batch: 16,
  epochs: 20,
  quick: {
    modelOptions: { input: [48, 48, 1], widths: [8, 16, 32, 64] },
    limit: { train: 2000, test: 300 },
    epochs: 5,
    expects: { metrics: { "mean-iou": 0.3 } },
  },
};
