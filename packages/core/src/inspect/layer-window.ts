import type * as tfl from "@tensorflow/tfjs-layers";
import type { Pair } from "../arithmetic/padding.ts";

/** The input window of one output pixel of a layer: its extent in pixels (dilation included) and its stride. */
export interface LayerWindow {
  readonly extent: Pair;
  /** Below 1 if the output is larger than the input: 1/2 for an upsampling by 2. */
  readonly stride: Pair;
}

/**
 * Optional methods of a user-defined layer, for summaries. Without `window`, the receptive field of a layer with a map
 * as output counts as unknown. Without `macs`, a layer with a kernel is listed as not counted.
 */
export interface MeasuredLayer {
  /** The layer's window: `"all"` if each output depends on the whole map, `"pixel"` if it depends on one pixel. */
  window?(): LayerWindow | "all" | "pixel";
  /** Multiply-adds for one image, from shapes with a leading batch axis. */
  macs?(inputShape: readonly (number | null)[], outputShape: readonly (number | null)[]): number;
}

/** The window of a layer; undefined where it is not known. Models inside a model have no window of their own. */
export function layerWindow(layer: tfl.layers.Layer): LayerWindow | "all" | "pixel" | undefined {
  const own = (layer as MeasuredLayer).window;
  if (typeof own === "function") return own.call(layer);
  const type = layer.getClassName();
  if (pixelwise.has(type)) return "pixel";
  if (whole.has(type)) return "all";
  const config = layer.getConfig();
  const along = (key: string): Pair => pairOf(config[key] ?? 1);
  switch (type) {
    case "Conv1D":
    case "Conv2D":
    case "DepthwiseConv1D":
    case "DepthwiseConv2D":
    case "SeparableConv1D":
    case "SeparableConv2D": {
      const [kernel, dilation] = [along("kernelSize"), along("dilationRate")];
      return {
        extent: [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1],
        stride: along("strides"),
      };
    }
    case "Conv2DTranspose": {
      const [kernel, stride] = [along("kernelSize"), along("strides")];
      return {
        extent: [Math.ceil(kernel[0] / stride[0]), Math.ceil(kernel[1] / stride[1])],
        stride: [1 / stride[0], 1 / stride[1]],
      };
    }
    case "UpSampling2D": {
      const [size, reach] = [along("size"), config["interpolation"] === "bilinear" ? 2 : 1];
      return { extent: [reach, reach], stride: [1 / size[0], 1 / size[1]] };
    }
    case "MaxPooling1D":
    case "AveragePooling1D":
    case "MaxPooling2D":
    case "AveragePooling2D":
    case "PaddedPooling2D":
      return { extent: along("poolSize"), stride: along(config["strides"] == null ? "poolSize" : "strides") };
    default:
      return undefined;
  }
}

/** Layers of one axis have windows of one column. */
function pairOf(value: unknown): Pair {
  if (!Array.isArray(value)) return [value as number, value as number];
  return value.length === 1 ? [value[0] as number, 1] : (value as unknown as Pair);
}

const pixelwise = new Set([
  "InputLayer",
  "Activation",
  "ReLU",
  "LeakyReLU",
  "PReLU",
  "ELU",
  "ThresholdedReLU",
  "Softmax",
  "Dropout",
  "SpatialDropout1D",
  "SpatialDropout2D",
  "AlphaDropout",
  "GaussianDropout",
  "GaussianNoise",
  "BatchNormalization",
  "LayerNormalization",
  "LocalResponseNormalization",
  "Normalization",
  "Rescaling",
  "Add",
  "Subtract",
  "Multiply",
  "Average",
  "Maximum",
  "Minimum",
  "Concatenate",
  "CustomScaleLayer",
  "PadChannels",
  "ShuffleChannels",
  "SliceChannels",
  "ZeroPadding1D",
  "ZeroPadding2D",
  "Cropping1D",
  "Cropping2D",
  "Reshape",
  "RepeatVector",
  "Masking",
  "Dense",
]);

const whole = new Set([
  "Flatten",
  "GlobalAveragePooling1D",
  "GlobalAveragePooling2D",
  "GlobalMaxPooling1D",
  "GlobalMaxPooling2D",
  "AdaptiveAveragePooling2D",
  "GroupNormalization",
]);
