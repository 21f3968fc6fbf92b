import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { LocallyConnected1D } from "../../layers/locally-connected.ts";
import type { LocallyConnected2D } from "../../layers/locally-connected.ts";
import { computedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import type { Config, ExportContext, KerasPart } from "./keras-part.ts";

/**
 * Keras 2's LocallyConnected2D and LocallyConnected1D, which Keras 3 has not: the patches of an image as rows, and a
 * product of each with the kernel of its place. A sequence is an image of one column.
 */
export function locallyConnected(config: Config, context: ExportContext, layer: tfl.layers.Layer): KerasPart[] {
  const local = layer as LocallyConnected2D;
  const isSequence = layer instanceof LocallyConnected1D;
  const [, height, width, channels] = isSequence
    ? [null, context.inputShape[1], 1, context.inputShape[2]]
    : context.inputShape;
  if (height == null || width == null || channels == null) return context.refuse("the size of its input is not known");
  const image = [null, height, width, channels];
  const [, rows, columns, filters] = local.computeOutputShape(image) as [null, number, number, number];
  const pair = (value: unknown): [number, number] => {
    const [down, right] = [value ?? 1].flat() as number[];
    return [down!, right ?? down!];
  };
  const [size, strides] = [pair(config["kernel_size"]), pair(config["strides"])];
  const padding = local.paddingOf(height, width);
  const kernel = computed("kernel", [rows, columns, size[0] * size[1] * channels, filters], () =>
    local.kernelByPlace(),
  );
  const hasBias = local.args.useBias !== false;
  const bias = computed("bias", [rows, columns, filters], () => local.biasByPlace()!);
  const reshaped = (...sizes: number[]): KerasPart => ({
    className: "Reshape",
    config: { target_shape: sizes },
    weights: [],
  });
  return [
    ...(isSequence ? [reshaped(height, 1, channels)] : []),
    ...(padding.flat().some((side) => side > 0) ? [{ className: "ZeroPadding2D", config: { padding } }] : []),
    {
      className: "ExtractPatches",
      config: {},
      operation: {
        module: "keras.src.ops.image",
        numbers: [],
        config: { size, strides, dilation_rate: 1, padding: "valid", data_format: "channels_last" },
      },
    },
    {
      className: "EinsumDense",
      config: {
        equation: "abcd,bcde->abce",
        output_shape: [rows, columns, filters],
        activation: config["activation"] ?? "linear",
        bias_axes: hasBias ? "bce" : null,
      },
      weights: hasBias ? [kernel, bias] : [kernel],
    },
    ...(isSequence ? [reshaped(rows, filters)] : []),
  ];
}

/** A weight that is computed from those of the layer when it is written. */
function computed(name: string, shape: number[], make: () => tf.Tensor): NamedTensor {
  const read = (): Float32Array<ArrayBuffer> => tf.tidy(() => new Float32Array(make().dataSync<"float32">()));
  return computedTensor({ name, shape, dtype: "float32", place: name, read });
}
