import * as tfl from "@tensorflow/tfjs-layers";

type Tensor = tfl.SymbolicTensor;
type Size = number | [number, number];
type ConvOptions = Partial<Parameters<typeof tfl.layers.conv2d>[0]>;

const { add, concatenate, dense, flatten, reLU, rescaling } = tfl.layers;

function conv(x: Tensor, filters: number, kernelSize: Size, name: string, options: ConvOptions = {}): Tensor {
  return tfl.layers.conv2d({ filters, kernelSize, name, ...options }).apply(x) as Tensor;
}

function maxPool(x: Tensor, poolSize: number, strides: number, padding: "same" | "valid" = "valid"): Tensor {
  return tfl.layers.maxPooling2d({ poolSize, strides, padding }).apply(x) as Tensor;
}

function norm(x: Tensor, name: string, options: object = {}): Tensor {
  return tfl.layers.batchNormalization({ name, ...options }).apply(x) as Tensor;
}

function relu(x: Tensor): Tensor {
  return reLU().apply(x) as Tensor;
}

function fc(x: Tensor, units: number, name: string, activation: "relu" | "softmax" | "sigmoid" = "relu"): Tensor {
  return dense({ units, name, activation }).apply(x) as Tensor;
}

function flat(x: Tensor): Tensor {
  return flatten().apply(x) as Tensor;
}

const same = { activation: "relu", padding: "same" } as const;

function lenet5(x: Tensor, classes: number): Tensor {
  let y = maxPool(conv(x, 6, 5, "conv1", same), 2, 2);
  y = maxPool(conv(y, 16, 5, "conv2", { activation: "relu" }), 2, 2);
  return fc(fc(fc(flat(y), 120, "fc1"), 84, "fc2"), classes, "fc3", "softmax");
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

function resnet50Small(x: Tensor, classes: number): Tensor {
  const unit = (map: Tensor, name: string, filters: number, strides: number, project: boolean): Tensor => {
    let y = relu(norm(conv(map, filters, 1, `res${name}_branch2a`, { strides }), `bn${name}_branch2a`));
    y = relu(norm(conv(y, filters, 3, `res${name}_branch2b`, { padding: "same" }), `bn${name}_branch2b`));
    y = norm(conv(y, 4 * filters, 1, `res${name}_branch2c`), `bn${name}_branch2c`);
    const shortcut = project
      ? norm(conv(map, 4 * filters, 1, `res${name}_branch1`, { strides }), `bn${name}_branch1`)
      : map;
    return relu(add().apply([y, shortcut]) as Tensor);
  };
  let y = maxPool(relu(norm(conv(x, 64, 7, "conv1", { strides: 2 }), "bn_conv1")), 3, 2);
  for (const [index, [filters, units]] of stages.entries()) {
    for (let at = 0; at < units; at++)
      y = unit(y, `${index + 2}${"abcdef"[at]}`, filters, at === 0 && index > 0 ? 2 : 1, at === 0);
  }
  return fc(flat(y), classes, `fc${classes}`, "softmax");
}

const stages = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3],
] as const;

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

type Widths = readonly [number, readonly [number, number], readonly [number, number], number];

function vgg16Inception(x: Tensor, classes: number): Tensor {
  const convNorm = (map: Tensor, filters: number, size: Size, name: string): Tensor =>
    relu(
      norm(conv(map, filters, size, `${name}_conv`, { padding: "same", useBias: false }), `${name}_bn`, {
        scale: false,
      }),
    );
  const mixed = (map: Tensor, name: string, widths: Widths, factorised: boolean): Tensor => {
    const [b1, [r2, b2], [r3, b3], b4] = widths;
    const spatial = (y: Tensor, filters: number, size: number, branch: string): Tensor =>
      factorised
        ? convNorm(convNorm(y, filters, [1, size], `${branch}.row`), filters, [size, 1], `${branch}.column`)
        : convNorm(y, filters, size, `${branch}.conv`);
    return concatenate().apply([
      convNorm(map, b1, 1, `${name}.b1`),
      spatial(convNorm(map, r2, 1, `${name}.b2.reduce`), b2, 3, `${name}.b2`),
      spatial(convNorm(map, r3, 1, `${name}.b3.reduce`), b3, 5, `${name}.b3`),
      convNorm(maxPool(map, 3, 1, "same"), b4, 1, `${name}.b4.project`),
    ]) as Tensor;
  };
  let y = x;
  for (const [block, filters] of [
    [1, 64],
    [2, 128],
  ] as const) {
    y = convNorm(convNorm(y, filters, 3, `block${block}_conv1`), filters, 3, `block${block}_conv2`);
    y = maxPool(y, 2, 2);
  }
  for (const index of [1, 2, 3]) y = mixed(y, `block3_i${index}`, [64, [96, 128], [16, 32], 32], false);
  y = maxPool(y, 2, 2);
  for (const index of [1, 2, 3]) y = convNorm(y, 512, 3, `block4_conv${index}`);
  y = maxPool(y, 2, 2);
  for (const index of [1, 2, 3]) y = mixed(y, `block5_i${index}`, [128, [192, 256], [32, 64], 64], true);
  return fc(fc(fc(flat(maxPool(y, 2, 2)), 4096, "fc1"), 4096, "fc2"), classes, "predictions", "softmax");
}

function resnet50(x: Tensor, classes: number): Tensor {
  const epsilon = 1.001e-5;
  const unit = (map: Tensor, name: string, filters: number, strides: number, project: boolean): Tensor => {
    let y = relu(norm(conv(map, filters, 1, `${name}_1_conv`, { strides }), `${name}_1_bn`, { epsilon }));
    y = relu(norm(conv(y, filters, 3, `${name}_2_conv`, { padding: "same" }), `${name}_2_bn`, { epsilon }));
    y = norm(conv(y, 4 * filters, 1, `${name}_3_conv`), `${name}_3_bn`, { epsilon });
    const shortcut = project
      ? norm(conv(map, 4 * filters, 1, `${name}_0_conv`, { strides }), `${name}_0_bn`, { epsilon })
      : map;
    return relu(add().apply([shortcut, y]) as Tensor);
  };
  const pad = (map: Tensor, padding: number): Tensor => tfl.layers.zeroPadding2d({ padding }).apply(map) as Tensor;
  let y = relu(norm(conv(pad(x, 3), 64, 7, "conv1_conv", { strides: 2 }), "conv1_bn", { epsilon }));
  y = maxPool(pad(y, 1), 3, 2);
  for (const [index, [filters, units]] of stages.entries()) {
    for (let at = 0; at < units; at++)
      y = unit(y, `conv${index + 2}_block${at + 1}`, filters, at === 0 && index > 0 ? 2 : 1, at === 0);
  }
  y = tfl.layers.globalAveragePooling2d({}).apply(y) as Tensor;
  return fc(y, classes, "predictions", "softmax");
}

const networks: Readonly<Record<string, (x: Tensor, classes: number) => Tensor>> = {
  lenet5,
  "inception-cifar10": inceptionCifar10,
  "residual-same": residualSame,
  "residual-different": residualDifferent,
  "resnet50-small": resnet50Small,
  "residual-stack": residualStack,
  "mini-xception": miniXception,
  "vgg16-inception": vgg16Inception,
  resnet50,
};

/** A measured network as a tfjs user writes it, of the stock layers alone. Throws for a name it has not. */
export function stockNetwork(name: string, shape: readonly number[], classes: number): tfl.LayersModel {
  const body = networks[name];
  if (body === undefined) throw new Error(`There is no tfjs network "${name}".`);
  const inputs = tfl.input({ shape: [...shape] });
  return tfl.model({ inputs, outputs: body(inputs, classes) });
}
