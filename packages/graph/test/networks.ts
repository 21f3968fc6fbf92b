import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

/** A number in [-1, 1) from an integer, the same in every language: what weights and data of these tests are made of. */
export function hashed(index: number): number {
  let h = Math.imul(index ^ (index >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

/** Weights from `hashed`, scaled as He's initialiser would: statistics start at 0 and 1, gains at 1, biases at 0. */
export function setHashedWeights(model: tfl.LayersModel, layers: readonly tfl.layers.Layer[] = model.layers): void {
  let at = 0;
  for (const layer of layers) {
    const weights = layer.weights.map((weight) => {
      const shape = weight.shape as number[];
      const size = shape.reduce((a, b) => a * b, 1);
      const start = at;
      at += size;
      if (/gamma|variance/.test(weight.originalName)) return tf.ones(shape);
      if (shape.length < 2) return tf.zeros(shape);
      const fan = size / (shape.at(-1) as number);
      const scale = Math.sqrt(3 / fan);
      return tf.tensor(
        Float32Array.from({ length: size }, (_, i) => scale * hashed(start + i)),
        shape,
      );
    });
    layer.setWeights(weights);
    tf.dispose(weights);
  }
}

/** A batch of images as bytes, and labels. */
export function batchOf(n: number, shape: readonly number[], classes: number, seed = 1) {
  const size = n * shape.reduce((a, b) => a * b, 1);
  return {
    images: {
      data: Uint8Array.from({ length: size }, (_, i) => 128 + 127 * hashed(seed * 1e6 + i)),
      shape: [n, ...shape],
    },
    labels: { data: Int32Array.from({ length: n }, (_, i) => (i * 7 + seed) % classes), shape: [n] },
  };
}

type Symbolic = tfl.SymbolicTensor;
const { conv2d, maxPooling2d, dense, flatten, concatenate, add, batchNormalization, separableConv2d } = tfl.layers;
const conv = (filters: number, kernelSize: number | [number, number], more: object = {}) =>
  conv2d({ filters, kernelSize, padding: "same", activation: "relu", kernelInitializer: "zeros", ...more });
const head = (x: Symbolic, units: number) =>
  dense({ units, kernelInitializer: "zeros" }).apply(x.shape.length > 2 ? flatten().apply(x) : x) as Symbolic;
const pool = (poolSize: number, strides = poolSize, padding: "same" | "valid" = "same") =>
  maxPooling2d({ poolSize, strides, padding });
const norm = () => batchNormalization({});
const relu = () => tfl.layers.activation({ activation: "relu" });

const normed = (x: Symbolic, filters: number, kernelSize: number | readonly [number, number], more: object = {}) => {
  const size = typeof kernelSize === "number" ? kernelSize : ([...kernelSize] as [number, number]);
  const plain = conv(filters, size, { activation: "linear", useBias: false, ...more });
  return relu().apply(norm().apply(plain.apply(x))) as Symbolic;
};

/** Four normed branches; the middle two reduce by 1x1, and go on with the kernels given. */
const normedInception = (x: Symbolic, kernels: readonly (readonly (number | readonly [number, number])[])[]) => {
  const middle = kernels.map((sizes) => sizes.reduce<Symbolic>((y, size) => normed(y, 5, size), normed(x, 3, 1)));
  const pooled = normed(pool(3, 1).apply(x) as Symbolic, 2, 1);
  return concatenate().apply([normed(x, 4, 1), ...middle, pooled]) as Symbolic;
};

/** Local response normalisation, as GoogLeNet's first layers have it. */
class LocalResponse extends tfl.layers.Layer {
  static className = "LocalResponse";
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.localResponseNormalization([inputs].flat()[0] as tf.Tensor4D, 2, 1, 1e-2, 0.75);
  }
}
const normalized = () => new LocalResponse({});

function model(shape: number[], body: (x: Symbolic) => Symbolic): tfl.LayersModel {
  const input = tfl.input({ shape });
  const made = tfl.model({ inputs: input, outputs: body(input) });
  setHashedWeights(made);
  return made;
}

/** The networks of the source notebooks, small: the kinds of layer and of wiring they have, on small images. */
export const networks: Record<string, { shape: number[]; classes: number; make: () => tfl.LayersModel }> = {
  lenet5: {
    shape: [28, 28, 1],
    classes: 10,
    make: () =>
      model([28, 28, 1], (x) => {
        let y = pool(2).apply(conv(6, 5).apply(x)) as Symbolic;
        y = flatten().apply(pool(2).apply(conv(16, 5, { padding: "valid" }).apply(y))) as Symbolic;
        for (const units of [120, 84])
          y = dense({ units, activation: "relu", kernelInitializer: "zeros" }).apply(y) as Symbolic;
        return head(y, 10);
      }),
  },
  "simple-cnn": {
    shape: [28, 28, 3],
    classes: 10,
    make: () => model([28, 28, 3], (x) => head(pool(2).apply(conv(32, 5).apply(x)) as Symbolic, 10)),
  },
  "inception-cifar10": {
    shape: [16, 16, 3],
    classes: 10,
    make: () =>
      model([16, 16, 3], (x) => {
        const branches = [
          conv(4, 1, { strides: 2 }).apply(x),
          conv(4, 3, { strides: 2 }).apply(conv(4, 1).apply(x)),
          conv(4, 5, { strides: 2 }).apply(conv(4, 1).apply(x)),
          conv(4, 1).apply(pool(3, 2).apply(x)),
        ] as Symbolic[];
        return head(concatenate().apply(branches) as Symbolic, 10);
      }),
  },
  "residual-stack": {
    shape: [16, 16, 3],
    classes: 2,
    make: () =>
      model([16, 16, 3], (x) => {
        for (const filters of [8, 16]) {
          const y = conv(filters, 3).apply(conv(filters, 3).apply(x)) as Symbolic;
          const short = conv(filters, 1, { strides: 2, activation: "linear" }).apply(x) as Symbolic;
          x = add().apply([pool(2).apply(y) as Symbolic, short]) as Symbolic;
        }
        return head(tfl.layers.globalAveragePooling2d({}).apply(x) as Symbolic, 2);
      }),
  },
  "residual-basic": {
    shape: [8, 8, 4],
    classes: 3,
    make: () =>
      model([8, 8, 4], (x) => {
        const plain = { activation: "linear" };
        let y = relu().apply(norm().apply(conv(8, 3, { ...plain, strides: 2 }).apply(x))) as Symbolic;
        y = norm().apply(conv(8, 3, plain).apply(y)) as Symbolic;
        const short = conv(8, 1, { ...plain, strides: 2 }).apply(x) as Symbolic;
        return head(relu().apply(add().apply([y, short])) as Symbolic, 3);
      }),
  },
  "mini-xception": {
    shape: [16, 16, 3],
    classes: 2,
    make: () =>
      model([16, 16, 3], (x) => {
        x = conv(8, 5, { activation: "linear", useBias: false }).apply(x) as Symbolic;
        const zeros = { depthwiseInitializer: "zeros", pointwiseInitializer: "zeros" } as const;
        const separable = (filters: number) =>
          separableConv2d({ filters, kernelSize: 3, padding: "same", useBias: false, ...zeros });
        const y = separable(16).apply(relu().apply(norm().apply(x))) as Symbolic;
        const short = conv(16, 1, { activation: "linear", strides: 2 }).apply(x) as Symbolic;
        x = add().apply([pool(3, 2).apply(y) as Symbolic, short]) as Symbolic;
        return head(tfl.layers.globalAveragePooling2d({}).apply(x) as Symbolic, 2);
      }),
  },
  "residual-same": {
    shape: [12, 12, 3],
    classes: 10,
    make: () =>
      model([12, 12, 3], (x) => {
        let y = x;
        for (let i = 0; i < 3; i++) y = conv(3, 3).apply(y) as Symbolic;
        return head(add().apply([y, x]) as Symbolic, 10);
      }),
  },
  "residual-different": {
    shape: [12, 12, 3],
    classes: 10,
    make: () =>
      model([12, 12, 3], (x) => {
        const y = pool(2, 2, "valid").apply(conv(6, 3).apply(conv(3, 3).apply(x))) as Symbolic;
        const short = conv(6, 1, { padding: "valid", activation: "linear" }).apply(y) as Symbolic;
        return head(add().apply([y, short]) as Symbolic, 10);
      }),
  },
  "naive-inception": {
    shape: [8, 8, 6],
    classes: 3,
    make: () =>
      model([8, 8, 6], (x) => {
        const branches = [conv(4, 1), conv(6, 3), conv(3, 5), pool(3, 1)].map((layer) => layer.apply(x) as Symbolic);
        return head(concatenate().apply(branches) as Symbolic, 3);
      }),
  },
  "inception-v1": {
    shape: [8, 8, 3],
    classes: 3,
    make: () => model([8, 8, 3], (x) => head(normedInception(x, [[3], [5]]), 3)),
  },
  "inception-v3": {
    shape: [8, 8, 3],
    classes: 3,
    make: () =>
      model([8, 8, 3], (x) =>
        head(
          normedInception(x, [
            [
              [1, 3],
              [3, 1],
            ],
            [
              [1, 5],
              [5, 1],
            ],
          ]),
          3,
        ),
      ),
  },
  "vgg16-inception": {
    shape: [16, 16, 1],
    classes: 5,
    make: () =>
      model([16, 16, 1], (x) => {
        let y = pool(2).apply(normed(normed(x, 4, 3), 4, 3)) as Symbolic;
        y = pool(2).apply(normedInception(y, [[3], [5]])) as Symbolic;
        y = normedInception(y, [
          [
            [1, 3],
            [3, 1],
          ],
          [
            [1, 5],
            [5, 1],
          ],
        ]);
        y = tfl.layers.globalMaxPooling2d({}).apply(y) as Symbolic;
        return head(dense({ units: 12, activation: "relu", kernelInitializer: "zeros" }).apply(y) as Symbolic, 5);
      }),
  },
  "resnet50-small": {
    shape: [20, 20, 3],
    classes: 10,
    make: () =>
      model([20, 20, 3], (x) => {
        // TensorFlow's pooling kernels (eager, oneDNN) sum the gradients of overlapping windows in other orders, and norms over
        // few values amplify the last bit: so the windows do not overlap here.
        let y = pool(2, 2, "valid").apply(normed(x, 8, 7, { strides: 2, padding: "valid" })) as Symbolic;
        for (const [filters, strides, projects] of [
          [4, 1, true],
          [4, 1, false],
          [8, 2, true],
        ] as const) {
          const linear = { activation: "linear", useBias: false };
          let z = normed(normed(y, filters, 1, { strides }), filters, 3);
          z = norm().apply(conv(4 * filters, 1, linear).apply(z)) as Symbolic;
          const short = projects ? norm().apply(conv(4 * filters, 1, { ...linear, strides }).apply(y)) : y;
          y = relu().apply(add().apply([z, short as Symbolic])) as Symbolic;
        }
        return head(y, 10);
      }),
  },
  googlenet: {
    shape: [16, 16, 3],
    classes: 5,
    make: () =>
      model([16, 16, 3], (x) => {
        const y = pool(3, 2).apply(normalized().apply(conv(8, 7, { strides: 2 }).apply(x))) as Symbolic;
        const branches = [
          conv(4, 1).apply(y),
          conv(6, 3).apply(conv(3, 1).apply(y)),
          conv(3, 5).apply(conv(2, 1).apply(y)),
          conv(2, 1).apply(pool(3, 1).apply(y)),
        ] as Symbolic[];
        const joined = concatenate().apply(branches) as Symbolic;
        return head(tfl.layers.globalAveragePooling2d({}).apply(joined) as Symbolic, 5);
      }),
  },
};

/** Mean cross-entropy of logits against whole labels. */
export function crossEntropy(net: tfl.LayersModel, images: tf.Tensor, labels: tf.Tensor, classes: number): tf.Scalar {
  return tf.tidy(() => {
    const logits = net.apply(tf.div(images, 255), { training: true }) as tf.Tensor;
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels as tf.Tensor1D, classes), logits) as tf.Scalar;
  });
}
