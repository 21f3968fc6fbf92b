import { factorizedInception, inception, naiveInception } from "@convkit/blocks";
import { add, chain, concat, conv, dense, flatten, maxPool, modelMetadata, network, outputSize } from "@convkit/core";
import {
  avgPool,
  batchNorm,
  crossCorrelate,
  dropout,
  identity,
  stackedReceptiveField,
  withoutDrawing,
} from "@convkit/core";
import type { Block, ImageShape } from "@convkit/core";
import { padsOf } from "@convkit/core/internal";
import { dataSets, loadData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { inTopK, recipes } from "@convkit/trainer";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";

/**
 * The numbers that the five notebooks show, each computed by a function of ours: what it is, the number as the notebook prints it,
 * and how it comes about here. Models are built without drawing weights.
 */

const built = <Result>(make: () => Result): Result => withoutDrawing(make);
const made = (name: Parameters<typeof createModel>[0], options = {}): LayersModel =>
  built(() => createModel(name, options) as LayersModel);
const net = (input: ImageShape, block: Block): LayersModel => built(() => network(input, block));
const shapeAfter = (model: LayersModel, layer: string): (number | null)[] =>
  (model.getLayer(layer).output as { shape: (number | null)[] }).shape.slice(1);
const end = (model: LayersModel): (number | null)[] => model.outputs[0]!.shape.slice(1);
const paramsOf = (model: LayersModel, className: string): number[] =>
  model.layers.filter((layer) => layer.getClassName() === className).map((layer) => layer.countParams());
const count = (model: LayersModel, className: string): number => paramsOf(model, className).length;
const relu = { padding: "same", activation: "relu" } as const;
const valid = { padding: "valid" } as const;
const filters = [64, 96, 128, 16, 32, 32] as const;
/** The notebook's convolution: without bias, and a norm without gamma. */
const unit = (width: number, kernel: number | readonly [number, number]): Block =>
  chain([conv(width, kernel, { padding: "same", bias: false }), batchNorm({ scale: false })]);

type Row = readonly [what: string, inNotebook: unknown, ours: () => unknown];

const branchesAndShortcuts: Row[] = [
  ["inception: maps after concatenate", [16, 16, 64], () => shapeAfter(made("inception-cifar10"), "concat")],
  ["inception: branches", 4, () => (made("inception-cifar10").getLayer("concat").input as unknown[]).length],
  ["inception: units of the dense layer", [512], () => shapeAfter(made("inception-cifar10"), "fc1")],
  ["inception: learning rate", 0.001, () => recipes["inception-cifar10"].optimizer.learningRate],
  ["inception: batch", 128, () => recipes["inception-cifar10"].batch],
  ["inception: epochs", 10, () => recipes["inception-cifar10"].epochs],
  ["CIFAR-10: images", [32, 32, 3], () => [...dataSets.cifar10.shape]],
  [
    "shortcut of equal size: parameters",
    [84, 84, 84],
    () =>
      paramsOf(
        net([32, 32, 3], add([chain([conv(3, 3, relu), conv(3, 3, relu), conv(3, 3, relu)]), identity])),
        "Conv2D",
      ),
  ],
  [
    "shortcut of another size: parameters",
    [84, 168],
    () => paramsOf(net([32, 32, 3], chain([conv(3, 3, relu), conv(6, 3, relu)])), "Conv2D"),
  ],
  [
    "shortcut of another size: maps",
    [16, 16, 6],
    () =>
      end(
        net(
          [32, 32, 3],
          chain([conv(3, 3, relu), conv(6, 3, relu), maxPool(2, 2, valid), add([identity, conv(6, 1, valid)])]),
        ),
      ),
  ],
];

const simple = (): LayersModel => made("simple-cnn");
const convolutionalNetworks: Row[] = [
  ["5x5 pixels, a filter of 3x3", 3, () => outputSize(5, { kernel: 3, ...valid }).size[0]],
  [
    "a feature map of 5x5 pixels",
    3,
    () =>
      crossCorrelate(Array(5).fill(Array(5).fill(1)) as number[][], Array(3).fill(Array(3).fill(1)) as number[][])
        .length,
  ],
  ["5 + 2 * 2 - 4 + 1", 6, () => outputSize(5, { kernel: 4, padding: 2 }).size[0]],
  ["same: p = (k - 1) / 2 for 5", [2, 2], () => [...padsOf("same", [28, 28], [5, 5], [1, 1])[0]]],
  ["stride 2 over 5x5 pixels", 2, () => outputSize(5, { kernel: 3, stride: 2, ...valid }).size[0]],
  [
    "kernel of 3x3 from 16 channels to 32",
    [3, 3, 16, 32],
    () => net([28, 28, 16], conv(32, 3, valid)).getWeights()[0]!.shape,
  ],
  ["a maximum of 3x3 with stride 1", [26, 26, 6], () => end(net([28, 28, 6], maxPool(3, 1, valid)))],
  ["a mean of 3x3 with stride 1", [26, 26, 6], () => end(net([28, 28, 6], avgPool(3, 1, valid)))],
  ["units of the dense layer", [64], () => end(net([2, 2, 1], chain([flatten(), dense(64)])))],
  ["MNIST: training images", [60_000, 28, 28, 1], () => [dataSets.mnist.train, ...dataSets.mnist.shape]],
  ["MNIST: test images", 10_000, async () => (await loadData("mnist")).test.size],
  [
    "LeNet-5: filters and units",
    [6, 16, 120, 84, 10],
    () => ["conv1", "conv2", "fc1", "fc2", "fc3"].map((name) => shapeAfter(made("lenet5"), name).at(-1)),
  ],
  ["LeNet-5: epochs, batch", [100, 32], () => [recipes["lenet5-mnist"].epochs, recipes["lenet5-mnist"].batch]],
  ["LeNet-5: optimizer", "sgd", () => recipes["lenet5-mnist"].optimizer.name],
  ["LeNet-5: patience", 3, () => recipes["lenet5-mnist"].earlyStopping?.patience],
  ["two 3x3 see what one 5x5 sees", 5, () => stackedReceptiveField([{ kernel: 3 }, { kernel: 3 }]).size],
  [
    "VGG-19: more convolutions than VGG-16",
    3,
    () => count(made("vgg19", { includeTop: false }), "Conv2D") - count(made("vgg16", { includeTop: false }), "Conv2D"),
  ],
  ["VGG-16: blocks", 5, () => count(made("vgg16", { includeTop: false }), "MaxPooling2D")],
  [
    "VGG-16: first convolutions",
    [1792, 36_928, 73_856, 147_584],
    () => paramsOf(made("vgg16", { includeTop: false }), "Conv2D").slice(0, 4),
  ],
  ["VGG-16: maps of block 2", [56, 56, 128], () => shapeAfter(made("vgg16", { includeTop: false }), "block2_pool")],
  [
    "top-5: right if among five",
    [false, true],
    () => [4, 5].map((k) => inTopK(Float32Array.of(6, 5, 4, 3, 2, 1), 4, k)),
  ],
  ["GoogLeNet: modules", 9, () => count(made("googlenet", { includeTop: false }), "Concatenate")],
  [
    "naive module: channels on 192",
    64 + 128 + 32 + 192,
    () => end(net([28, 28, 192], naiveInception([64, 128, 32])))[2],
  ],
  [
    "simple network: maps",
    [[24, 24, 32], [12, 12, 32], [4608], [10]],
    () => ["conv1", "pool1", "flatten", "predictions"].map((name) => shapeAfter(simple(), name)),
  ],
  ["simple network: convolution", [2432], () => paramsOf(simple(), "Conv2D")],
  ["simple network: dense layer", [46_090], () => paramsOf(simple(), "Dense")],
  ["simple network: all", 48_522, () => simple().countParams()],
  [
    "Inception v3: images",
    [299, 299, 3],
    () => made("inception-v3", { includeTop: false, input: [299, 299, 3] }).inputs[0]!.shape.slice(1),
  ],
  [
    "Inception v3: first convolution",
    [149, 149, 32],
    () => end(net([299, 299, 3], conv(32, 3, { stride: 2, ...valid }))),
  ],
  ["Inception v3: its parameters", 864, () => paramsOf(made("inception-v3", { includeTop: false }), "Conv2D")[0]],
  ["Inception v3: its norm", 96, () => paramsOf(made("inception-v3", { includeTop: false }), "BatchNormalization")[0]],
  ["ResNet: layers with weights of ResNet-152", 152, () => layersOf(made("resnet152", { includeTop: false }), 4)],
  [
    "ResNet-50: padded image",
    [230, 230, 3],
    () => shapeAfter(made("resnet50", { includeTop: false, input: [224, 224, 3] }), "conv1_pad"),
  ],
  [
    "ResNet-50: first maps",
    [112, 112, 64],
    () => shapeAfter(made("resnet50", { includeTop: false, input: [224, 224, 3] }), "conv1_conv"),
  ],
  [
    "ResNet-50: first convolution",
    9472,
    () => made("resnet50", { includeTop: false }).getLayer("conv1_conv").countParams(),
  ],
];

const inceptionV1AndV3: Row[] = [
  [
    "padding of a 3x3 and of a 5x5 convolution",
    [1, 2],
    () => [3, 5].map((k) => padsOf("same", [14, 14], [k, k], [1, 1])[0][0]),
  ],
  ["1x1 from 192 channels to 64", 1 * 1 * 192 * 64 + 64, () => net([14, 14, 192], conv(64, 1, valid)).countParams()],
  ["3x3 from 192 channels to 64", 3 * 3 * 192 * 64 + 64, () => net([14, 14, 192], conv(64, 3, relu)).countParams()],
  [
    "weight of the auxiliary losses",
    [1, 0.3, 0.3],
    () => modelMetadata(made("googlenet", { aux: true, classes: 10, input: [96, 96, 3] })).outputWeights,
  ],
  [
    "module: first convolutions of its branches",
    [96, 16],
    () => paramsOf(net([224, 224, 1], concat([unit(96, 1), unit(16, 1)])), "Conv2D"),
  ],
  ["module: norm of 96 channels", [288], () => paramsOf(net([224, 224, 1], unit(96, 1)), "BatchNormalization")],
  ["module: output", [224, 224, 256], () => end(net([224, 224, 1], inception(filters, { unit })))],
  ["factorized module: output", [224, 224, 256], () => end(net([224, 224, 1], factorizedInception(filters, { unit })))],
  [
    "1xn and nx1 for 3x3",
    [3 * 64 * 64, 3 * 64 * 64],
    () => paramsOf(net([8, 8, 64], chain([unit(64, [1, 3]), unit(64, [3, 1])])), "Conv2D"),
  ],
  [
    "VGG with inception: first convolution",
    576,
    () => made("vgg16-inception", { includeTop: false }).getLayer("block1_conv1_conv").countParams(),
  ],
  [
    "VGG with inception: first norm",
    192,
    () => made("vgg16-inception", { includeTop: false }).getLayer("block1_conv1_bn").countParams(),
  ],
  [
    "VGG with inception: images",
    [224, 224, 1],
    () => made("vgg16-inception", { includeTop: false, input: [224, 224, 1] }).inputs[0]!.shape.slice(1),
  ],
];

const small = (): LayersModel => made("resnet50-small");
const residualNetworks: Row[] = [
  ["first maps", [13, 13, 64], () => shapeAfter(small(), "conv1")],
  ["first convolution", 9472, () => small().getLayer("conv1").countParams()],
  ["first norm", 256, () => small().getLayer("bn_conv1").countParams()],
  ["layers with weights", 50, () => layersOf(small(), 4, 0)],
  [
    "stages: channels",
    [256, 512, 1024, 2048],
    () => ["add2a", "add3a", "add4a", "add5a"].map((name) => shapeAfter(small(), name)[2]),
  ],
  ["stages: blocks", 3 + 4 + 6 + 3, () => count(small(), "Add")],
  ["classes", [10], () => end(small())],
];

const xception = recipes["mini-xception-cats-vs-dogs"];
const modernArchitectures: Row[] = [
  [
    "shortcut where channels change",
    [30, 30, 64],
    () => end(net([32, 32, 3], chain([conv(32, 3, valid), add([conv(64, 3, relu), conv(64, 1, valid)])]))),
  ],
  [
    "shortcut where a pool halves",
    [15, 15, 64],
    () =>
      end(
        net(
          [32, 32, 3],
          chain([
            conv(32, 3, valid),
            add([chain([conv(64, 3, relu), maxPool(2, 2, { padding: "same" })]), conv(64, 1, { stride: 2, ...valid })]),
          ]),
        ),
      ),
  ],
  [
    "residual network: filters",
    [32, 64, 128],
    () => [1, 2, 3].map((i) => shapeAfter(made("residual-stack"), `block${i}`)[2]),
  ],
  ["small Xception: images", [180, 180, 3], () => made("mini-xception").inputs[0]!.shape.slice(1)],
  ["small Xception: first convolution", [176, 176, 32], () => shapeAfter(made("mini-xception"), "conv")],
  [
    "small Xception: sizes",
    [32, 64, 128, 256, 512],
    () => [1, 2, 3, 4, 5].map((i) => shapeAfter(made("mini-xception"), `block${i}`)[2]),
  ],
  ["small Xception: dropout", 0.5, () => made("mini-xception").getLayer("dropout").getConfig()["rate"]],
  ["small Xception: batch, epochs", [32, 100], () => [xception.batch, xception.epochs]],
  [
    "small Xception: optimizer, loss",
    ["rmsprop", "binary-crossentropy"],
    () => [xception.optimizer.name, xception.loss?.name],
  ],
  ["small Xception: augmentation", { flip: "horizontal", rotation: 0.1, zoom: 0.2 }, () => xception.augment],
  ["dropout keeps the size", [4, 4, 2], () => end(net([4, 4, 2], dropout(0.5)))],
];

/** Layers with weights on the longest path: all convolutions but those of `shortcuts`, and the dense layer. */
function layersOf(model: LayersModel, shortcuts: number, head = 1): number {
  return count(model, "Conv2D") + count(model, "Dense") - shortcuts + head;
}

beforeAll(() => useEngine());

describe.each([
  ["inception module and residual connection", branchesAndShortcuts],
  ["convolutional neural networks", convolutionalNetworks],
  ["inception v1 and v3", inceptionV1AndV3],
  ["ResNet", residualNetworks],
  ["architectures of networks", modernArchitectures],
])("the notebook on %s", (_, rows) => {
  test.each(rows)("%s: %j", async (__, inNotebook, ours) => {
    expect(await ours()).toEqual(inNotebook);
  });
});
