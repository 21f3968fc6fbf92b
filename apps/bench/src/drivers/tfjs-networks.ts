import * as tfl from "@tensorflow/tfjs-layers";
import { googlenet, inceptionV3, resnet, resnet50Small, vgg16, vgg16Inception } from "./tfjs-imagenet.ts";
import { conv, fc, flat, maxPool, norm, relu, type Tensor } from "./tfjs-layers.ts";
import { BenchError } from "../usage-error.ts";

const { add, concatenate, rescaling } = tfl.layers;

const same = { activation: "relu", padding: "same" } as const;

function lenet5(x: Tensor, classes: number): Tensor {
  let y = maxPool(conv(x, 6, 5, "conv1", same), 2, 2);
  y = maxPool(conv(y, 16, 5, "conv2", { activation: "relu" }), 2, 2);
  return fc(fc(fc(flat(y), 120, "fc1"), 84, "fc2"), classes, "fc3", "softmax");
}

function simpleCnn(x: Tensor, classes: number): Tensor {
  return fc(flat(maxPool(conv(x, 32, 5, "conv1"), 2, 2)), classes, "predictions", "softmax");
}

function inceptionCifar10(x: Tensor, classes: number): Tensor {
  const strided = { ...same, strides: 2 };
  const mixed = concatenate().apply([
    conv(x, 16, 1, "a", strided),
    conv(conv(x, 16, 1, "b.reduce", same), 16, 3, "b.conv", strided),
    conv(conv(x, 16, 1, "c.reduce", same), 16, 5, "c.conv", strided),
    conv(maxPool(x, 3, 2, "same"), 16, 1, "d.conv", same),
  ]) as Tensor;
  return fc(fc(flat(mixed), 512, "fc1"), classes, "predictions", "softmax");
}

function residualSame(x: Tensor, classes: number): Tensor {
  const y = [1, 2, 3].reduce((map, index) => conv(map, 3, 3, `residual.body.conv${index}`, same), x);
  return fc(fc(flat(add().apply([y, x]) as Tensor), 128, "fc1"), classes, "predictions", "softmax");
}

function residualDifferent(x: Tensor, classes: number): Tensor {
  const y = maxPool(conv(conv(x, 3, 3, "conv1", same), 6, 3, "conv2", same), 2, 2);
  const sum = add().apply([y, conv(y, 6, 1, "residual.body")]) as Tensor;
  return fc(fc(flat(sum), 128, "fc1"), classes, "predictions", "softmax");
}

function residualStack(x: Tensor, classes: number): Tensor {
  let y = rescaling({ scale: 1 / 255 }).apply(x) as Tensor;
  for (const [index, filters] of [32, 64, 128].entries()) {
    const name = `block${index + 1}`;
    const pooled = index < 2;
    let z = conv(conv(y, filters, 3, `${name}.main.conv1`, same), filters, 3, `${name}.main.conv2`, same);
    if (pooled) z = maxPool(z, 2, 2, "same");
    y = add().apply([z, conv(y, filters, 1, `${name}.shortcut`, { strides: pooled ? 2 : 1 })]) as Tensor;
  }
  return fc(tfl.layers.globalAveragePooling2d({}).apply(y) as Tensor, classes, "predictions", "sigmoid");
}

function miniXception(x: Tensor, classes: number): Tensor {
  let y = conv(rescaling({ scale: 1 / 255 }).apply(x) as Tensor, 32, 5, "conv", { useBias: false });
  for (const [block, filters] of [32, 64, 128, 256, 512].entries()) {
    const name = `block${block + 1}`;
    let z = y;
    for (const index of [1, 2]) {
      z = relu(norm(z, `${name}.main.bn${index}`));
      const separable = { filters, kernelSize: 3, padding: "same", useBias: false } as const;
      z = tfl.layers.separableConv2d({ ...separable, name: `${name}.main.sep${index}` }).apply(z) as Tensor;
    }
    const shortcut = conv(y, filters, 1, `${name}.shortcut`, { strides: 2, padding: "same", useBias: false });
    y = add().apply([maxPool(z, 3, 2, "same"), shortcut]) as Tensor;
  }
  return fc(tfl.layers.globalAveragePooling2d({}).apply(y) as Tensor, classes, "predictions", "sigmoid");
}

const networks: Readonly<Record<string, (x: Tensor, classes: number) => Tensor>> = {
  lenet5,
  "simple-cnn": simpleCnn,
  "inception-cifar10": inceptionCifar10,
  "residual-same": residualSame,
  "residual-different": residualDifferent,
  "resnet50-small": resnet50Small,
  "residual-stack": residualStack,
  "mini-xception": miniXception,
  "vgg16-inception": vgg16Inception,
  googlenet,
  vgg16,
  "inception-v3": inceptionV3,
  resnet50: (x, classes) => resnet(x, classes, [3, 4, 6, 3]),
  resnet152: (x, classes) => resnet(x, classes, [3, 8, 36, 3]),
};

/** Builds a measured network as a tfjs user would, from stock layers only. Throws for an unknown name. */
export function stockNetwork(name: string, shape: readonly number[], classes: number): tfl.LayersModel {
  const body = networks[name];
  if (body === undefined) throw new BenchError(`There is no tfjs network "${name}".`);
  const inputs = tfl.input({ shape: [...shape] });
  return tfl.model({ inputs, outputs: body(inputs, classes) });
}
