import * as tf from "@tensorflow/tfjs-core";
import { opAttributes, tensorFlowBackend } from "../../tfjs/tensorflow-backend.ts";
import type { TensorFlowBackend } from "../../tfjs/tensorflow-backend.ts";

export interface GroupedOptions {
  strides: [number, number];
  padding: "same" | "valid";
  dilations?: [number, number];
}

/**
 * A convolution of `groups` parts, kernel `[kh, kw, in / groups, filters]`: `[n, h, w, in] -> [n, h / stride, w / stride, filters]`.
 *
 * TensorFlow's own kernel where it has one (`probeGroups`). Elsewhere a dense convolution whose kernel is zero outside the
 * groups' blocks and, when dilated, between the taps: tfjs has neither.
 */
export function groupedConv2d(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  groups: number,
  options: GroupedOptions,
): tf.Tensor4D {
  const { strides, padding, dilations = [1, 1] } = options;
  const backend = tensorFlowBackend();
  const isDilated = dilations.some((rate) => rate !== 1);
  if (groups > 1 && !isDilated && backend !== undefined && backend === probed?.backend && probed.works) {
    return nativeGroups(backend, x, kernel, options);
  }
  const [, , part, filters] = kernel.shape;
  const dense =
    groups === 1 ? kernel : tf.mul(tf.tile(kernel, [1, 1, groups, 1]), blockMask(part * groups, filters, groups));
  return tf.conv2d(x, spreadTaps(dense as tf.Tensor4D, dilations), strides, padding);
}

let probed: { backend: TensorFlowBackend; works: boolean } | undefined;

/**
 * Tests once whether this TensorFlow has kernels for grouped convolution and its gradients: on CPUs, only with oneDNN.
 * Must be called while ops run at once, not while a graph is recorded. Layers call it when they are built.
 */
export function probeGroups(): boolean {
  const backend = tensorFlowBackend();
  if (backend === undefined) return false;
  if (probed?.backend !== backend) probed = { backend, works: tries(backend) };
  return probed.works;
}

function tries(backend: TensorFlowBackend): boolean {
  return tf.tidy(() => {
    const [x, kernel] = [tf.ones([1, 3, 3, 4]) as tf.Tensor4D, tf.ones([1, 1, 2, 4]) as tf.Tensor4D];
    try {
      const options = { strides: [1, 1], padding: "same" } as const;
      const run = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
        nativeGroups(backend, x as tf.Tensor4D, kernel as tf.Tensor4D, { ...options, strides: [1, 1] });
      const sums = [run(x, kernel), ...tf.grads(run)([x, kernel])].map((tensor) => tf.sum(tensor).dataSync()[0]);
      return sums.every((sum) => sum === 72);
    } catch {
      return false;
    }
  });
}

function nativeGroups(
  backend: TensorFlowBackend,
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  { strides, padding }: GroupedOptions,
): tf.Tensor4D {
  const attributes = opAttributes(backend, {
    TYPE: { T: backend.binding["TF_FLOAT"] },
    INT: { strides: [1, ...strides, 1], dilations: [1, 1, 1, 1] },
    STRING: { padding: padding.toUpperCase(), data_format: "NHWC" },
    BOOL: { use_cudnn_on_gpu: true },
  });
  const run = (op: string, inputs: tf.Tensor[]): tf.Tensor => backend.executeSingleOutput(op, attributes, inputs);
  const convolve = tf.customGrad((...args: unknown[]) => {
    const [x, kernel, save] = args as [tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    save([x, kernel]);
    return {
      value: run("Conv2D", [x, kernel]),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, kernel] = saved as [tf.Tensor, tf.Tensor];
        return [
          run("Conv2DBackpropInput", [tf.tensor1d(x.shape, "int32"), kernel, dy]),
          run("Conv2DBackpropFilter", [x, tf.tensor1d(kernel.shape, "int32"), dy]),
        ];
      },
    };
  });
  return convolve(x, kernel) as tf.Tensor4D;
}

/**
 * Inserts zeros between a kernel's taps: `[kh, kw, in, out] -> [(kh - 1) * dilation + 1, (kw - 1) * dilation + 1, in,
 * out]`.
 */
function spreadTaps(kernel: tf.Tensor4D, [rows, columns]: [number, number]): tf.Tensor4D {
  if (rows === 1 && columns === 1) return kernel;
  const [height, width, channels, filters] = kernel.shape;
  const taps = tf.reshape(kernel, [height, 1, width, 1, channels * filters]);
  const padded = tf.pad(taps, [
    [0, 0],
    [0, rows - 1],
    [0, 0],
    [0, columns - 1],
    [0, 0],
  ]);
  const whole = tf.reshape(padded, [height * rows, width * columns, channels, filters]);
  return tf.slice(
    whole,
    [0, 0, 0, 0],
    [(height - 1) * rows + 1, (width - 1) * columns + 1, channels, filters],
  ) as tf.Tensor4D;
}

/** `[1, 1, channels, filters]`: one if the channel and the filter belong to the same group, else zero. */
function blockMask(channels: number, filters: number, groups: number): tf.Tensor4D {
  const values = new Float32Array(channels * filters);
  for (let channel = 0; channel < channels; channel++) {
    const group = Math.floor((channel * groups) / channels);
    const first = channel * filters + (group * filters) / groups;
    values.fill(1, first, first + filters / groups);
  }
  return tf.tensor4d(values, [1, 1, channels, filters]);
}
