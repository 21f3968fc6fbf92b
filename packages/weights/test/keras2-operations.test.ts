import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { importModel } from "../src/formats/keras/import-model.ts";

/** One bare function as Keras 2 stores it: its name in TensorFlow, its options, and other layers that it takes. */
type Step = readonly [name: string, options: Readonly<Record<string, unknown>>, from?: string];

const at = (index: number): string => `step${index}`;

/** The architecture that Keras 2 saves of functions of TensorFlow, each of the one before unless it says otherwise. */
function lambdas(shape: readonly number[], steps: readonly Step[]): object {
  const layers = steps.map(([name, options, from], index) => ({
    class_name: name.endsWith("getitem") ? "SlicingOpLambda" : "TFOpLambda",
    config: { name: at(index), trainable: true, dtype: "float32", function: name },
    name: at(index),
    inbound_nodes: [[from ?? (index === 0 ? "x" : at(index - 1)), 0, 0, options]],
  }));
  const input = {
    class_name: "InputLayer",
    config: { batch_input_shape: [null, ...shape], dtype: "float32", name: "x" },
  };
  return {
    class_name: "Functional",
    config: {
      name: "model",
      layers: [{ ...input, name: "x", inbound_nodes: [] }, ...layers],
      input_layers: [["x", 0, 0]],
      output_layers: [[at(steps.length - 1), 0, 0]],
    },
    keras_version: "2.15.0",
  };
}

/** The answer to 0, 1, 2, … as nested lists. */
function answer(shape: readonly number[], ...steps: readonly Step[]): unknown {
  const model = importModel("file.h5", lambdas(shape.slice(1), steps) as Record<string, unknown>);
  const x = tf.reshape(tf.range(0, tf.util.sizeFromShape([...shape])), [...shape]);
  return (model.predict(x) as tf.Tensor).arraySync();
}

function ones(...[size, ...rest]: number[]): unknown {
  return size === undefined ? 1 : Array.from({ length: size }, () => ones(...rest));
}

describe("functions of TensorFlow in a file of Keras 2", () => {
  beforeAll(() => useEngine());

  it.each<[what: string, shape: readonly number[], steps: readonly Step[], wanted: unknown]>([
    // Functions of tf.image share names with others that turn or order all axes.
    [
      "image.rot90",
      [1, 2, 3, 1],
      [["image.rot90", {}]],
      [
        [
          [[2], [5]],
          [[1], [4]],
          [[0], [3]],
        ],
      ],
    ],
    [
      "image.transpose",
      [1, 2, 3, 1],
      [["image.transpose", {}]],
      [
        [
          [[0], [3]],
          [[1], [4]],
          [[2], [5]],
        ],
      ],
    ],
    [
      "image.flip_up_down",
      [1, 2, 2, 1],
      [["image.flip_up_down", {}]],
      [
        [
          [[2], [3]],
          [[0], [1]],
        ],
      ],
    ],
    [
      "image.central_crop",
      [1, 4, 4, 1],
      [["image.central_crop", { central_fraction: 0.5 }]],
      [
        [
          [[5], [6]],
          [[9], [10]],
        ],
      ],
    ],
    ["linalg.matmul", [1, 1, 2], [["linalg.matmul", { b: [[1], [10]], a_is_sparse: false }]], [[[10]]]],
    ["cumsum", [1, 3], [["math.cumsum", { axis: 1, exclusive: true, reverse: true }]], [[3, 2, 0]]],
    // A window of ones sums what it covers; the stride and the padding are given for every axis.
    [
      "nn.conv2d",
      [1, 3, 3, 1],
      [
        [
          "compat.v1.nn.conv2d",
          {
            filter: ones(2, 2, 1, 1),
            strides: [1, 2, 2, 1],
            padding: [
              [0, 0],
              [1, 0],
              [0, 1],
              [0, 0],
            ],
          },
        ],
      ],
      [
        [
          [[1], [2]],
          [[20], [13]],
        ],
      ],
    ],
    // tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1] * 2, -1])
    [
      "shape",
      [2, 2, 4],
      [
        ["compat.v1.shape", { out_type: "int32", name: null }],
        ["__operators__.getitem", { slice_spec: 0 }],
        ["__operators__.getitem", { slice_spec: 1 }, at(0)],
        ["math.multiply", { y: 2 }],
        ["reshape", { shape: [[at(1), 0, 0], [at(3), 0, 0], -1] }, "x"],
      ],
      [
        [
          [0, 1],
          [2, 3],
          [4, 5],
          [6, 7],
        ],
        [
          [8, 9],
          [10, 11],
          [12, 13],
          [14, 15],
        ],
      ],
    ],
    // Rows of three are no batch of the model: what is made of them goes back by the batch's size.
    [
      "a merged batch",
      [1, 2, 3],
      [
        ["reshape", { shape: [-1, 3] }],
        ["math.add", { y: 1 }],
        ["reshape", { shape: [-1, 6] }],
      ],
      [[1, 2, 3, 4, 5, 6]],
    ],
    // x[:, -1:0:-2, 1], where bit i of a mask is for axis i.
    [
      "strided_slice",
      [1, 4, 2],
      [
        [
          "strided_slice",
          { begin: [0, -1, 1], end: [1, 0, 2], strides: [1, -2, 1], begin_mask: 1, end_mask: 1, shrink_axis_mask: 4 },
        ],
      ],
      [[7, 3]],
    ],
    [
      "linalg.band_part",
      [1, 3, 3],
      [["linalg.band_part", { num_lower: 1, num_upper: 0 }]],
      [
        [
          [0, 0, 0],
          [3, 4, 0],
          [0, 7, 8],
        ],
      ],
    ],
    ["linalg.diag_part", [1, 2, 2], [["linalg.diag_part", { k: 0, align: "RIGHT_LEFT" }]], [[0, 3]]],
    ["linalg.trace", [1, 2, 2], [["linalg.trace", {}]], [3]],
    [
      "linalg.matrix_transpose",
      [1, 2, 2],
      [["linalg.matrix_transpose", {}]],
      [
        [
          [0, 2],
          [1, 3],
        ],
      ],
    ],
    // Each row in the order of its own negatives.
    [
      "gather of each row",
      [2, 3],
      [
        ["math.negative", {}],
        ["argsort", { axis: -1 }],
        ["compat.v1.gather", { indices: [at(1), 0, 0], axis: 1, batch_dims: 1 }, "x"],
      ],
      [
        [2, 1, 0],
        [5, 4, 3],
      ],
    ],
    // Two bits from 0 to 6 are the steps 0, 2, 4 and 6.
    [
      "quantization.fake_quant_with_min_max_args",
      [1, 8],
      [["quantization.fake_quant_with_min_max_args", { min: 0, max: 6, num_bits: 2 }]],
      [[0, 2, 2, 4, 4, 6, 6, 6]],
    ],
    // A constant of more axes than the tensor adds axes to it.
    ["a constant of three axes", [1, 2], [["math.multiply", { y: [[[1, 10]]] }]], [[[0, 10]]]],
  ])("%s", (_, shape, steps, wanted) => {
    expect(answer(shape, ...steps)).toEqual(wanted);
  });

  it.each<[step: Step, problem: RegExp]>([
    [["image.resize", { size: [6, 6], preserve_aspect_ratio: true }], /its preserve_aspect_ratio of true is not known/],
    [["nn.bias_add", { bias: [1, 2], data_format: "NCHW" }], /its data_format of "NCHW" is not known here/],
    [["linalg.normalize", {}], /this layer is not known/],
  ])("refuses what it would compute otherwise: %j", (step, problem) => {
    expect(() => answer([1, 2, 2, 2], step)).toThrow(problem);
  });
});
