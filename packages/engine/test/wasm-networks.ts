import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

/** The notebooks' networks, small: the same layers and joints on smaller images with fewer filters. */

type Tensor = tfl.SymbolicTensor;
const { layers } = tfl;

interface ConvOptions {
  stride?: number;
  padding?: "same" | "valid";
  activation?: "relu" | "linear";
  useBias?: boolean;
}

function conv(
  x: Tensor,
  filters: number,
  kernel: number | [number, number],
  { stride = 1, padding = "same", activation = "relu", useBias = true }: ConvOptions = {},
): Tensor {
  return layers
    .conv2d({ filters, kernelSize: kernel, strides: stride, padding, activation, useBias })
    .apply(x) as Tensor;
}

function pool(x: Tensor, size: number, stride: number, padding: "same" | "valid" = "valid"): Tensor {
  return layers.maxPooling2d({ poolSize: size, strides: stride, padding }).apply(x) as Tensor;
}

const dense = (x: Tensor, units: number, activation: "relu" | "softmax" | "sigmoid"): Tensor =>
  layers.dense({ units, activation }).apply(x) as Tensor;
const flatten = (x: Tensor): Tensor => layers.flatten().apply(x) as Tensor;
const concat = (xs: Tensor[]): Tensor => layers.concatenate().apply(xs) as Tensor;
const add = (xs: Tensor[]): Tensor => layers.add().apply(xs) as Tensor;
// tfjs-layers cannot train a batch normalisation without scale.
const norm = (x: Tensor): Tensor => layers.batchNormalization().apply(x) as Tensor;
const relu = (x: Tensor): Tensor => layers.activation({ activation: "relu" }).apply(x) as Tensor;
const average = (x: Tensor): Tensor => layers.globalAveragePooling2d({}).apply(x) as Tensor;
const separable = (x: Tensor, filters: number): Tensor =>
  layers.separableConv2d({ filters, kernelSize: 3, padding: "same", useBias: false }).apply(x) as Tensor;

function convNorm(x: Tensor, filters: number, kernel: number | [number, number]): Tensor {
  return relu(norm(conv(x, filters, kernel, { activation: "linear", useBias: false })));
}

/** A layer on an op, since tfjs-layers has no local response normalisation. */
class LocalResponseNorm extends layers.Layer {
  static className = "LocalResponseNormOfTest";
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor4D];
    return tf.localResponseNormalization(x, 2, 1, 1e-4, 0.75);
  }
}

const classes = 4;

/** Networks by name: the input's shape, and what is built on it. */
export const networks: Readonly<Record<string, { input: [number, number, number]; body: (x: Tensor) => Tensor }>> = {
  lenet5: {
    input: [16, 16, 1],
    body: (x) => {
      const features = pool(conv(pool(conv(x, 6, 5), 2, 2), 16, 5, { padding: "valid" }), 2, 2);
      return dense(dense(dense(flatten(features), 30, "relu"), 21, "relu"), classes, "softmax");
    },
  },
  "simple-cnn": {
    input: [10, 10, 3],
    body: (x) => dense(flatten(pool(conv(x, 32, 5, { padding: "valid" }), 2, 2)), classes, "softmax"),
  },
  "inception-cifar10": {
    input: [12, 12, 3],
    body: (x) => {
      const branches = [
        conv(x, 8, 1, { stride: 2 }),
        conv(conv(x, 8, 1), 8, 3, { stride: 2 }),
        conv(conv(x, 8, 1), 8, 5, { stride: 2 }),
        conv(pool(x, 3, 2, "same"), 8, 1),
      ];
      return dense(dense(flatten(concat(branches)), 32, "relu"), classes, "softmax");
    },
  },
  residual: {
    input: [12, 12, 3],
    body: (x) => {
      const same = add([x, conv(conv(x, 3, 3), 3, 3)]);
      const different = add([pool(conv(conv(same, 3, 3), 6, 3), 2, 2), conv(same, 6, 1, { stride: 2 })]);
      return dense(flatten(different), classes, "softmax");
    },
  },
  "residual-basic": {
    input: [9, 9, 3],
    body: (x) => {
      const stem = conv(x, 8, 3);
      const inner = convNorm(conv(stem, 16, 3, { stride: 2, activation: "linear" }), 16, 3);
      const shortcut = conv(stem, 16, 1, { stride: 2, activation: "linear" });
      return dense(average(relu(add([norm(inner), shortcut]))), classes, "softmax");
    },
  },
  "vgg16-inception": {
    input: [8, 8, 1],
    body: (x) => {
      const block = pool(convNorm(convNorm(x, 8, 3), 8, 3), 2, 2);
      const v1 = concat([
        convNorm(block, 4, 1),
        convNorm(convNorm(block, 6, 1), 8, 3),
        convNorm(convNorm(block, 2, 1), 4, 5),
        convNorm(pool(block, 3, 1, "same"), 4, 1),
      ]);
      const v3 = concat([
        convNorm(v1, 4, 1),
        convNorm(convNorm(convNorm(v1, 6, 1), 8, [1, 3]), 8, [3, 1]),
        convNorm(convNorm(convNorm(v1, 4, 1), 4, [1, 5]), 4, [5, 1]),
      ]);
      return dense(flatten(pool(v3, 2, 2)), classes, "softmax");
    },
  },
  "resnet50-small": {
    // Large enough for its last norm to see 36 values: over 4, a rounding error grows past all bounds.
    input: [33, 33, 3],
    body: (x) => {
      let y = pool(relu(norm(conv(x, 8, 7, { stride: 2, padding: "valid", activation: "linear" }))), 3, 2);
      for (const [filters, stride] of [
        [4, 1],
        [8, 2],
      ] as const) {
        const linear = { activation: "linear" } as const;
        let inner = relu(norm(conv(y, filters, 1, { ...linear, stride })));
        inner = relu(norm(conv(inner, filters, 3, linear)));
        inner = norm(conv(inner, 4 * filters, 1, linear));
        y = relu(add([inner, norm(conv(y, 4 * filters, 1, { ...linear, stride }))]));
      }
      const pooled = layers.averagePooling2d({ poolSize: 1, strides: 1 }).apply(y) as Tensor;
      return dense(flatten(pooled), classes, "softmax");
    },
  },
  "residual-stack": {
    input: [8, 8, 3],
    body: (x) => {
      const first = add([pool(conv(conv(x, 8, 3), 8, 3), 2, 2, "same"), conv(x, 8, 1, { stride: 2 })]);
      const second = add([conv(conv(first, 16, 3), 16, 3), conv(first, 16, 1)]);
      return dense(average(second), classes, "sigmoid");
    },
  },
  "mini-xception": {
    input: [15, 15, 3],
    body: (x) => {
      let y = conv(x, 8, 5, { padding: "valid", activation: "linear", useBias: false });
      for (const filters of [8, 16]) {
        const inner = separable(relu(norm(separable(relu(norm(y)), filters))), filters);
        const shortcut = conv(y, filters, 1, { stride: 2, activation: "linear", useBias: false });
        y = add([pool(inner, 3, 2, "same"), shortcut]);
      }
      return dense(average(y), classes, "sigmoid");
    },
  },
  googlenet: {
    input: [20, 20, 3],
    body: (x) => {
      const stem = new LocalResponseNorm({}).apply(pool(conv(x, 8, 7, { stride: 2 }), 3, 2, "same")) as Tensor;
      const module = concat([
        conv(stem, 4, 1),
        conv(conv(stem, 6, 1), 8, 3),
        conv(conv(stem, 2, 1), 4, 5),
        conv(pool(stem, 3, 1, "same"), 4, 1),
      ]);
      const pooled = layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "valid" }).apply(module) as Tensor;
      return dense(flatten(pooled), classes, "softmax");
    },
  },
};

/** A batch to train on, the same every time. */
export function batchFor(input: readonly number[], batch: number): { x: tf.Tensor; y: tf.Tensor } {
  const shape = [batch, ...input];
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1009) / 504 - 1);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
  return { x: tf.tensor(values, shape), y: tf.cast(tf.oneHot(labels, classes), "float32") };
}
