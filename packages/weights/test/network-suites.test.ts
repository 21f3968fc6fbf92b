import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, loadWeights } from "../src/index.ts";
import { readArray } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

/** Networks of a library by name, with an input that is not square, and the network of the zoo for a state. */
type Row = readonly [network: string, size: readonly [number, number], ours?: ModelName | undefined];

/** Small networks, each with a naming that is matched by order and shape. */
const few: readonly Row[] = [
  ["timm:mobilenetv2_100", [64, 96], "mobilenet-v2-tv"],
  ["timm:tf_efficientnet_b0", [64, 96], "efficientnet-b0"],
  ["torchvision:densenet169", [64, 96], "densenet169"],
];

const rest: readonly Row[] = [
  ["timm:inception_resnet_v2", [107, 139], "inception-resnet-v2"],
  ["timm:vgg11", [224, 224], "vgg11"],
  ["timm:vgg13", [224, 224], "vgg13"],
  ["timm:vgg16", [224, 224], "vgg16"],
  ["timm:vgg19", [224, 224], "vgg19"],
  ["timm:vgg16_bn", [224, 224], "vgg16-bn"],
  ["timm:vgg19_bn", [224, 224], "vgg19-bn"],
  ["timm:tf_efficientnet_b1", [64, 96], "efficientnet-b1"],
  ["timm:inception_v3", [107, 139], "inception-v3-tv"],
  ["timm:resnet18", [64, 96], "resnet18"],
  ["timm:resnet34", [64, 96], "resnet34"],
  ["timm:resnet50", [64, 96], "resnet50-tv"],
  ["timm:resnet101", [64, 96], "resnet101-tv"],
  ["timm:resnet152", [64, 96], "resnet152-tv"],
  ["timm:resnext50_32x4d", [64, 96], "resnext50-32x4d"],
  ["timm:densenet121", [64, 96], "densenet121-tv"],
  ["timm:densenet169", [64, 96], "densenet169"],
  ["timm:densenet201", [64, 96], "densenet201"],
  ["torchvision:alexnet", [96, 128], "alexnet"],
  ["torchvision:vgg11", [224, 224], "vgg11"],
  ["torchvision:vgg13", [224, 224], "vgg13"],
  ["torchvision:vgg16", [224, 224], "vgg16"],
  ["torchvision:vgg19", [224, 224], "vgg19"],
  ["torchvision:vgg16_bn", [64, 96], "vgg16-bn"],
  ["torchvision:vgg19_bn", [64, 96], "vgg19-bn"],
  ["torchvision:resnet18", [64, 96], "resnet18"],
  ["torchvision:resnet34", [64, 96], "resnet34"],
  ["torchvision:resnet50", [64, 96], "resnet50-tv"],
  ["torchvision:resnet101", [64, 96], "resnet101-tv"],
  ["torchvision:resnet152", [64, 96], "resnet152-tv"],
  ["torchvision:resnext50_32x4d", [64, 96], "resnext50-32x4d"],
  ["torchvision:squeezenet1_1", [64, 96], "squeezenet1-1"],
  ["torchvision:mobilenet_v2", [64, 96], "mobilenet-v2-tv"],
  ["torchvision:googlenet", [64, 96], "googlenet-tv"],
  ["torchvision:inception_v3", [107, 139], "inception-v3-tv"],
  ["torchvision:densenet121", [64, 96], "densenet121-tv"],
  ["torchvision:densenet201", [64, 96], "densenet201"],
  ...[
    "ConvNeXtTiny",
    "ConvNeXtSmall",
    "ConvNeXtBase",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2S",
    "EfficientNetV2M",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetMobile",
    "ResNet50",
    "ResNet101",
    "ResNet152",
    "ResNet50V2",
    "ResNet101V2",
    "ResNet152V2",
    "VGG16",
    "VGG19",
    "Xception",
  ].flatMap((name): Row[] => [
    [`keras:${name}`, [96, 128]],
    [`tf_keras:${name}`, [96, 128]],
  ]),
];

/** `CONVKIT_SUITES=1` runs all; `CONVKIT_SUITES=timm:` those whose names contain the text. */
const wanted = process.env["CONVKIT_SUITES"];
const chosen = [...few, ...rest].filter(([name]) => wanted === "1" || (wanted !== undefined && name.includes(wanted)));
const rows = (wanted === undefined ? few : chosen).map(([network, size, ours]) => ({ network, size, ours }));

/** timm's and torchvision's networks take scaled colors; Keras' EfficientNet scales raw pixels itself. */
function inputFor(ours: ModelName, x: tf.Tensor): tf.Tensor {
  if (!ours.startsWith("efficientnet")) return x;
  const scaled = tf.add(tf.mul(x, tf.tensor1d([0.229, 0.224, 0.225])), tf.tensor1d([0.485, 0.456, 0.406]));
  return tf.mul(scaled, 255);
}

describe.skipIf(peerPython === undefined)("networks of other libraries with random weights", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-suites-"));
  const make = (...networks: readonly Row[]): string =>
    runPython("network-suites.py", folder, ...networks.map(([name, size]) => [name, ...size].join(":")));
  beforeAll(async () => {
    await useEngine();
    // One process for the few; the whole table would fill the disk before the first comparison.
    if (wanted === undefined) make(...few);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(rows)("$network gives the same logits here", async ({ network, size, ours }) => {
    const [height, width] = size;
    if (wanted !== undefined) make([network, size]);
    const stem = network.replace(":", "-");
    const x = await readArray(join(folder, `${stem}.x.npy`));
    const y = await readArray(join(folder, `${stem}.y.npy`));
    const files = readdirSync(folder).filter((name) => name.startsWith(`${stem}.`) && !name.endsWith(".npy"));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) {
      const file = join(folder, name);
      const model =
        ours === undefined
          ? await loadModel(file)
          : createModel(ours, { input: [height, width, 3], classes: 10, logits: true });
      if (ours !== undefined) await loadWeights(model, file);
      const worst = tf.tidy(() => {
        const found = model.predict(ours === undefined ? x : inputFor(ours, x)) as tf.Tensor;
        expect(found.shape).toEqual(y.shape);
        const difference = tf.max(tf.abs(tf.sub(found, y)));
        return tf.div(difference, tf.max(tf.abs(y))).dataSync()[0]!;
      });
      expect(worst).toBeLessThan(1e-4);
      model.dispose();
      rmSync(file);
    }
    tf.dispose([x, y]);
  });
});
