import type { Recipe } from "./plan.ts";
import { mnistCount, mnistMasks, multiMnist } from "./task-recipes.ts";

export type { Expectation, Plan, Recipe } from "./plan.ts";

const lenet5Mnist: Recipe = {
  name: "lenet5-mnist",
  about: "LeNet-5, plain SGD, early stopping: the notebook on convolutional networks",
  model: "lenet5",
  data: "mnist",
  // The notebook passes the test images to fit as validation data.
  validation: "test",
  loss: { name: "sparse-categorical-crossentropy" },
  optimizer: { name: "sgd", learningRate: 0.01 },
  batch: 32,
  epochs: 100,
  earlyStopping: { monitor: "valLoss", patience: 3 },
  histograms: 1,
  expects: { accuracy: 0.988 },
  quick: {
    optimizer: { name: "adam", learningRate: 0.002 },
    schedule: { name: "cosine", min: 0.01 },
    batch: 64,
    epochs: 6,
    expects: { accuracy: 0.99 },
  },
};

const inceptionCifar10: Recipe = {
  name: "inception-cifar10",
  about: "four branches and a concat on CIFAR-10: the notebook on inception",
  model: "inception-cifar10",
  data: "cifar10",
  validation: "test",
  loss: { name: "categorical-crossentropy" },
  optimizer: { name: "adam", learningRate: 0.001 },
  batch: 128,
  epochs: 10,
  quick: {
    data: "mnist",
    modelOptions: { input: [28, 28, 1] },
    limit: { train: 10_000, test: 2000 },
    schedule: { name: "cosine", warmup: 1 },
    epochs: 5,
    expects: { accuracy: 0.95 },
  },
};

const residualStack: Recipe = {
  name: "residual-stack-cats-vs-dogs",
  about: "three residual blocks and a sigmoid: the notebook on modern architectures",
  model: "residual-stack",
  data: "cats-vs-dogs-32",
  loss: { name: "binary-crossentropy" },
  optimizer: { name: "rmsprop", learningRate: 0.001 },
  batch: 32,
  epochs: 60,
  validation: 0.1,
  augment: { flip: "horizontal" },
  earlyStopping: { monitor: "valLoss", patience: 12 },
  expects: { accuracy: 0.6 },
  quick: {
    optimizer: { name: "adam", learningRate: 0.0005 },
    schedule: { name: "cosine", warmup: 1, min: 0.05 },
    // Without norms it needs many small steps to start learning.
    batch: 16,
    epochs: 40,
    ema: 0.99,
    augment: { flip: "horizontal", translation: 0.1 },
    earlyStopping: { monitor: "valLoss", patience: 40 },
    // Chance is 50 %; a standard deviation over 400 images is 2.4 %.
    expects: { accuracy: 0.58 },
  },
};

const resnet50Small: Recipe = {
  name: "resnet50-small-cifar10",
  about: "ResNet-50 for 32x32 images: the notebook on residual networks",
  model: "resnet50-small",
  data: "cifar10",
  validation: "test",
  loss: { name: "categorical-crossentropy" },
  optimizer: { name: "adam", learningRate: 0.001 },
  schedule: { name: "cosine", warmup: 1 },
  batch: 64,
  epochs: 30,
  augment: { flip: "horizontal", translation: 0.1 },
  quick: {
    data: "mnist",
    modelOptions: { input: [28, 28, 1] },
    limit: { train: 6000, test: 1000 },
    // The moving statistics of its 53 norms need about 700 steps. Smaller batches would not do: the last maps are only
    // a few pixels.
    batch: 32,
    epochs: 4,
    augment: {},
    expects: { accuracy: 0.75 },
  },
};

const miniXception: Recipe = {
  name: "mini-xception-cats-vs-dogs",
  about: "separable convolutions on cats_vs_dogs_small: the notebook on modern architectures",
  model: "mini-xception",
  // A folder: convkit data subset makes it from Kaggle's train folder.
  data: "cats_vs_dogs_small",
  loss: { name: "binary-crossentropy" },
  optimizer: { name: "rmsprop", learningRate: 0.001 },
  batch: 32,
  epochs: 100,
  augment: { flip: "horizontal", rotation: 0.1, zoom: 0.2 },
  quick: {
    data: "cats-vs-dogs-32",
    modelOptions: { input: [32, 32, 3] },
    validation: 0.1,
    schedule: { name: "cosine", min: 0.02 },
    epochs: 24,
    ema: 0.98,
    augment: { flip: "horizontal", rotation: 0.05, translation: 0.1 },
    expects: { accuracy: 0.62 },
  },
};

const vgg16Inception: Recipe = {
  name: "vgg16-inception",
  about: "VGG-16 with inception blocks for its third and fifth stage: the notebook on inception",
  model: "vgg16-inception",
  // A folder of class folders, or of train, validation and test.
  data: "images",
  loss: { name: "categorical-crossentropy" },
  optimizer: { name: "nesterov", learningRate: 0.01, weightDecay: 5e-4 },
  schedule: { name: "cosine", warmup: 2 },
  batch: 32,
  epochs: 60,
  validation: 0.1,
  augment: { flip: "horizontal", translation: 0.1 },
  quick: {
    data: "mnist",
    modelOptions: { input: [32, 32, 1] },
    resize: true,
    validation: "test",
    limit: { train: 3000, test: 1000 },
    optimizer: { name: "nesterov", learningRate: 0.005, weightDecay: 5e-4 },
    schedule: { name: "cosine" },
    // Small, so that the moving statistics of its norms get the about 700 steps they need.
    batch: 16,
    epochs: 4,
    augment: {},
    expects: { accuracy: 0.7 },
  },
};

const googlenet: Recipe = {
  name: "googlenet",
  about: "GoogLeNet with its two auxiliary classifiers (Szegedy et al. 2014)",
  model: "googlenet",
  modelOptions: { aux: true },
  data: "images",
  loss: { name: "categorical-crossentropy" },
  // As in the paper: momentum 0.9, and the learning rate falls by 4 % every 8 epochs.
  optimizer: { name: "momentum", learningRate: 0.01, weightDecay: 2e-4 },
  schedule: { name: "step", every: 8, factor: 0.96 },
  batch: 32,
  epochs: 250,
  validation: 0.1,
  augment: { flip: "horizontal", translation: 0.1 },
  quick: {
    data: "mnist",
    modelOptions: { aux: true, input: [80, 80, 1] },
    resize: true,
    validation: "test",
    limit: { train: 1500, test: 1000 },
    optimizer: { name: "adam", learningRate: 0.0005 },
    schedule: { name: "cosine", warmup: 1 },
    epochs: 6,
    augment: {},
    expects: { accuracy: 0.8 },
  },
};

const resnet20Cifar10: Recipe = {
  name: "resnet20-cifar10",
  about: "ResNet-20 with the schedule of its paper (He et al. 2015, section 4.2)",
  model: "resnet20-cifar10",
  data: "cifar10",
  validation: "test",
  loss: { name: "categorical-crossentropy" },
  optimizer: { name: "momentum", learningRate: 0.1, weightDecay: 1e-4 },
  // 64,000 steps of 128 images; the rate falls to a tenth at 32,000 and again at 48,000.
  schedule: { name: "step", at: [82, 123], factor: 0.1 },
  batch: 128,
  epochs: 164,
  augment: { flip: "horizontal", translation: 0.125 },
  expects: { accuracy: 0.91 },
  quick: {
    data: "mnist",
    modelOptions: { input: [28, 28, 1] },
    limit: { train: 8000, test: 2000 },
    batch: 64,
    epochs: 4,
    schedule: { name: "cosine", warmup: 1 },
    augment: {},
    expects: { accuracy: 0.95 },
  },
};

/** The trainings that can be run by name. */
export const recipes = {
  "lenet5-mnist": lenet5Mnist,
  "inception-cifar10": inceptionCifar10,
  "residual-stack-cats-vs-dogs": residualStack,
  "resnet50-small-cifar10": resnet50Small,
  "mini-xception-cats-vs-dogs": miniXception,
  "vgg16-inception": vgg16Inception,
  googlenet,
  "resnet20-cifar10": resnet20Cifar10,
  "lenet5-multi-mnist": multiMnist,
  "lenet5-mnist-count": mnistCount,
  "unet-mnist-masks": mnistMasks,
} as const satisfies Readonly<Record<string, Recipe>>;

/** The name of a recipe. */
export type RecipeName = keyof typeof recipes;
