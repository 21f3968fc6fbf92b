import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { conv, fc, flat, maxPool, norm, relu, type Size, type Tensor } from "./tfjs-layers.ts";

const { add, concatenate } = tfl.layers;

const same = { activation: "relu", padding: "same" } as const;

export function resnet50Small(x: Tensor, classes: number): Tensor {
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

/** Keras' ResNet, given the number of units in each of its four stages. */
export function resnet(x: Tensor, classes: number, counts: readonly number[]): Tensor {
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
  for (const [index, units] of counts.entries()) {
    const filters = 64 * 2 ** index;
    for (let at = 0; at < units; at++)
      y = unit(y, `conv${index + 2}_block${at + 1}`, filters, at === 0 && index > 0 ? 2 : 1, at === 0);
  }
  y = tfl.layers.globalAveragePooling2d({}).apply(y) as Tensor;
  return fc(y, classes, "predictions", "softmax");
}

type Widths = readonly [number, readonly [number, number], readonly [number, number], number];

export function vgg16Inception(x: Tensor, classes: number): Tensor {
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

export function vgg16(x: Tensor, classes: number): Tensor {
  let y = x;
  for (const [block, count] of [2, 2, 3, 3, 3].entries()) {
    for (let index = 1; index <= count; index++)
      y = conv(y, Math.min(512, 64 * 2 ** block), 3, `block${block + 1}_conv${index}`, same);
    y = maxPool(y, 2, 2);
  }
  return fc(fc(fc(flat(y), 4096, "fc1"), 4096, "fc2"), classes, "predictions", "softmax");
}

/** tfjs has this op but no layer for it. */
class LocalResponseNormalization extends tfl.layers.Layer {
  static className = "LocalResponseNormalization";

  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.localResponseNormalization([inputs].flat()[0] as tf.Tensor4D, 2, 1, 2e-5, 0.75);
  }
}

const rows = {
  "3a": [64, 96, 128, 16, 32, 32],
  "3b": [128, 128, 192, 32, 96, 64],
  "4a": [192, 96, 208, 16, 48, 64],
  "4b": [160, 112, 224, 24, 64, 64],
  "4c": [128, 128, 256, 24, 64, 64],
  "4d": [112, 144, 288, 32, 64, 64],
  "4e": [256, 160, 320, 32, 128, 128],
  "5a": [256, 160, 320, 32, 128, 128],
  "5b": [384, 192, 384, 48, 128, 128],
} as const;

/** GoogLeNet as in the paper, without the auxiliary heads. */
export function googlenet(x: Tensor, classes: number): Tensor {
  const normalized = (map: Tensor): Tensor => new LocalResponseNormalization({}).apply(map) as Tensor;
  const pool = (map: Tensor, strides = 2): Tensor => maxPool(map, 3, strides, "same");
  let y = normalized(pool(conv(x, 64, 7, "conv1", { ...same, strides: 2 })));
  y = pool(normalized(conv(conv(y, 64, 1, "conv2.reduce", same), 192, 3, "conv2.conv", same)));
  for (const [name, [b1, r2, b2, r3, b3, b4]] of Object.entries(rows)) {
    y = concatenate().apply([
      conv(y, b1, 1, `${name}.b1`, same),
      conv(conv(y, r2, 1, `${name}.b2.reduce`, same), b2, 3, `${name}.b2.conv`, same),
      conv(conv(y, r3, 1, `${name}.b3.reduce`, same), b3, 5, `${name}.b3.conv`, same),
      conv(pool(y, 1), b4, 1, `${name}.b4.project`, same),
    ]) as Tensor;
    if (name === "3b" || name === "4e") y = pool(y);
  }
  return fc(tfl.layers.globalAveragePooling2d({}).apply(y) as Tensor, classes, "predictions", "softmax");
}

type Unit = readonly [filters: number, size: Size, options?: { strides?: number; padding?: "valid" }];

/** Keras' Inception V3: layers are numbered in the order in which they are made. */
export function inceptionV3(x: Tensor, classes: number): Tensor {
  let made = 0;
  const row = (map: Tensor, ...units: readonly Unit[]): Tensor =>
    units.reduce((y, [filters, size, options]) => {
      const number = made === 0 ? "" : `_${made}`;
      made++;
      const convolved = conv(y, filters, size, `conv2d${number}`, { padding: "same", useBias: false, ...options });
      return relu(norm(convolved, `batch_normalization${number}`, { scale: false }));
    }, map);
  const join = (...maps: Tensor[]): Tensor => concatenate().apply(maps) as Tensor;
  const mean = (map: Tensor, filters: number): Tensor => {
    const pool = tfl.layers.averagePooling2d({ poolSize: 3, strides: 1, padding: "same" });
    return row(pool.apply(map) as Tensor, [filters, 1]);
  };
  const valid = { padding: "valid" } as const;
  const half = { padding: "valid", strides: 2 } as const;
  let y = row(x, [32, 3, half], [32, 3, valid], [64, 3]);
  y = maxPool(row(maxPool(y, 3, 2), [80, 1, valid], [192, 3, valid]), 3, 2);
  for (const pool of [32, 64, 64])
    y = join(row(y, [64, 1]), row(y, [48, 1], [64, 5]), row(y, [64, 1], [96, 3], [96, 3]), mean(y, pool));
  y = join(row(y, [384, 3, half]), row(y, [64, 1], [96, 3], [96, 3, half]), maxPool(y, 3, 2));
  for (const n of [128, 160, 160, 192])
    y = join(
      row(y, [192, 1]),
      row(y, [n, 1], [n, [1, 7]], [192, [7, 1]]),
      row(y, [n, 1], [n, [7, 1]], [n, [1, 7]], [n, [7, 1]], [192, [1, 7]]),
      mean(y, 192),
    );
  y = join(
    row(y, [192, 1], [320, 3, half]),
    row(y, [192, 1], [192, [1, 7]], [192, [7, 1]], [192, 3, half]),
    maxPool(y, 3, 2),
  );
  for (let at = 0; at < 2; at++) {
    const fork = (map: Tensor): Tensor => join(row(map, [384, [1, 3]]), row(map, [384, [3, 1]]));
    y = join(row(y, [320, 1]), fork(row(y, [384, 1])), fork(row(y, [448, 1], [384, 3])), mean(y, 192));
  }
  return fc(tfl.layers.globalAveragePooling2d({}).apply(y) as Tensor, classes, "predictions", "softmax");
}
