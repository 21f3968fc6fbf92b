import { AugmentationLayer, KerasOnlyAugmentation } from "@convkit/augment";
import type { HeldLayer, Source } from "./stock-row.ts";
import { isKnownLayer, isStockLayer } from "../../../layers/register.ts";
import { bentReLU, clipped, difference, power, scaledELU, softmaxOver } from "./activations.ts";
import { dilatedDepthwise, groupedConvolution, overSequence, sizedTranspose } from "./kernels.ts";
import {
  axesNormalization,
  batchNormOverAxis,
  groupNorm,
  layerScale,
  normalization,
  rootMeanSquareNorm,
  scaledSum,
} from "./norms.ts";
import { adaptivePool, keepingSizes, paddedPool } from "./pools.ts";
import { operation } from "./operations.ts";
import {
  channelDropout,
  croppedMiddle,
  middleResized,
  paddedChannels,
  resizedMap,
  scaledUp,
  shuffledChannels,
  slicedChannels,
  slicedMap,
  stacked,
} from "./shapes.ts";
import { unchanged } from "./stock-row.ts";

/** How layers of one class become layers of stock tfjs. */
interface StockForm {
  /**
   * For a class whose name stock tfjs knows: what it lacks of this layer; undefined if it computes the same. Stock tfjs
   * knows no other class of the table.
   */
  readonly lacks?: (held: HeldLayer) => string | undefined;
  /** The stock layers that compute the same, or why there are none. */
  readonly replace: (held: HeldLayer) => Source | string;
  /** The stock layers, for the documentation. */
  readonly by: string;
  /** What is not replaced, for the documentation. */
  readonly except?: string;
}

const nothing = { replace: () => unchanged(0), by: "nothing in prediction" };

/** Whether an axis of the configuration is not the last of the input. */
const isOtherAxis = ({ config: { axis }, inputs: [shape] }: HeldLayer): boolean =>
  axis !== -1 && axis !== shape!.length - 1;

/** Every class of which stock tfjs lacks something, and what takes its place. */
export const stockForms: Readonly<Record<string, StockForm>> = {
  ActivityRegularization: nothing,
  AdaptiveAveragePooling2D: {
    replace: adaptivePool,
    by: "`AveragePooling2D`, or `Dense` along each axis",
    except: "inputs of unknown size",
  },
  AxesNormalization: {
    replace: axesNormalization,
    by: "`Rescaling`, `DepthwiseConv2D` or `Dense`",
    except: "axes other than the last",
  },
  BatchNormalization: {
    lacks: (held) => (isOtherAxis(held) ? `axis ${String(held.config["axis"])}` : undefined),
    replace: batchNormOverAxis,
    by: "`BatchNormalization` between two `Permute`",
  },
  Bidirectional: {
    lacks: ({ masked, config: { returnSequences, backwardLayer } }) =>
      backwardLayer != null ? "a backward layer of its own" : masked && returnSequences === true ? "a mask" : undefined,
    replace: ({ config: { backwardLayer } }) =>
      backwardLayer != null ? "stock tfjs turns the forward layer round" : "stock tfjs ignores its mask",
    by: "itself",
    except: "masked sequences, a backward layer of its own",
  },
  BentReLU: { replace: bentReLU, by: "`ReLU` and `Add`", except: "a threshold" },
  Clipped: { replace: clipped, by: "`Maximum` and `Minimum`" },
  Conv2D: {
    lacks: ({ config: { groups } }) => (Number(groups ?? 1) > 1 ? "groups" : undefined),
    replace: groupedConvolution,
    by: "`DepthwiseConv2D` for groups of one channel, else `Conv2D` whose kernel has zeros between the groups",
  },
  CroppedCentre: { replace: croppedMiddle, by: "`Cropping2D`", except: "images smaller than the crop" },
  CustomScaleLayer: { replace: scaledSum, by: "`Rescaling` and `Add`" },
  DepthwiseConv1D: { replace: overSequence, by: "`DepthwiseConv2D` between two `Reshape`", except: "unknown lengths" },
  DilatedDepthwiseConv2D: { replace: dilatedDepthwise, by: "`DepthwiseConv2D` with zeros between its taps" },
  GlobalAveragePooling1D: {
    lacks: ({ config: { keepdims }, masked }) => (masked ? "a mask" : keepdims === true ? "keepdims" : undefined),
    replace: (held) => (held.masked ? "stock tfjs ignores its mask" : keepingSizes("GlobalAveragePooling1D")(held)),
    by: "`GlobalAveragePooling1D` and `Reshape`",
    except: "masks",
  },
  GlobalAveragePooling2D: {
    lacks: ({ config: { keepdims } }) => (keepdims === true ? "keepdims" : undefined),
    replace: keepingSizes("GlobalAveragePooling2D"),
    by: "`GlobalAveragePooling2D` and `Reshape`",
  },
  GlobalMaxPooling2DKeepdims: {
    replace: keepingSizes("GlobalMaxPooling2D"),
    by: "`GlobalMaxPooling2D` and `Reshape`",
  },
  GroupNormalization: {
    replace: groupNorm,
    by: "`Reshape`, `Permute`, `LayerNormalization` and `DepthwiseConv2D` or `Dense`",
    except: "inputs of unknown size",
  },
  GroupedConv1D: { replace: overSequence, by: "`Conv2D` between two `Reshape`", except: "unknown lengths" },
  DropBlock2D: nothing,
  Identity: nothing,
  LayerScale: { replace: layerScale, by: "`DepthwiseConv2D` or `Dense`" },
  Normalization: { replace: normalization, by: "`DepthwiseConv2D` or `Dense`" },
  Operation: {
    replace: operation,
    by: "`Add`, `Multiply`, `Maximum`, `Minimum`, `Rescaling`, `Activation`, `Concatenate`, `Reshape`, `Permute`, `Dot`, global pools, `Cropping2D` or `ZeroPadding2D`",
    except: "operations without such a layer, named in the refusal",
  },
  PadChannels: { replace: paddedChannels, by: "`Conv2D`" },
  PaddedPooling2D: {
    replace: paddedPool,
    by: "`ZeroPadding2D` and a pool, or a pool at every pixel, `Cropping2D` and every second pixel",
    except: "padding or a stride larger than half of the window",
  },
  Power: { replace: power, by: "`Multiply`", except: "exponents that are not whole" },
  RMSNormalization: { replace: rootMeanSquareNorm, by: "`LayerNormalization` and `Dense`", except: "other axes" },
  ResizedTo: { replace: resizedMap, by: "`Dense` along each axis", except: "inputs of unknown size" },
  ScaledELU: { replace: scaledELU, by: "`Activation`, `Rescaling` and `Add`" },
  ScaledUp2D: {
    replace: scaledUp,
    by: "`UpSampling2D`, or `Dense` along each axis",
    except: "bilinear for inputs of unknown size",
  },
  SeparableConv1D: { replace: overSequence, by: "`SeparableConv2D` between two `Reshape`", except: "dilation" },
  ShuffleChannels: { replace: shuffledChannels, by: "`Conv2D`" },
  SizedConv2DTranspose: {
    replace: sizedTranspose,
    by: "`Conv2DTranspose` and `Cropping2D`",
    except: "output padding that no filter reaches",
  },
  SliceChannels: { replace: slicedChannels, by: "`Conv2D`" },
  Sliced: { replace: slicedMap, by: "`Cropping2D`", except: "all but rows and columns of maps" },
  SoftmaxOver: { replace: softmaxOver, by: "`Activation` between two `Permute`", except: "more axes than one" },
  SpatialDropout2D: { replace: channelDropout, by: "`Dropout`" },
  SpatialDropout3D: { replace: channelDropout, by: "`Dropout`" },
  Stacked: { replace: stacked, by: "`Reshape` and `Concatenate`" },
  Subtract: { replace: difference, by: "`Rescaling` and `Add`" },
};

/** The form of random layers, which return their input in prediction. */
const randomForm: StockForm = nothing;

const cropForm: StockForm = { replace: middleResized, by: "`Cropping2D` and `Dense`" };

function formOf({ layer }: HeldLayer): StockForm | undefined {
  if (layer.getClassName() === "RandomCrop") return cropForm;
  if (layer instanceof AugmentationLayer || layer instanceof KerasOnlyAugmentation) return randomForm;
  const className = layer.getClassName();
  return isKnownLayer(layer) && Object.hasOwn(stockForms, className) ? stockForms[className] : undefined;
}

/** Stock tfjs has this class, with the same options, although ours does not extend it. */
const isSameInStock = ({ layer }: HeldLayer): boolean =>
  isKnownLayer(layer) && layer.getClassName() === "SpatialDropout1D";

/** What stock tfjs lacks to compute a layer: its class or an option; undefined if it lacks nothing. */
export function lackingInStock(held: HeldLayer): string | undefined {
  const className = held.layer.getClassName();
  const lacks = formOf(held)?.lacks;
  if (lacks === undefined) return isStockLayer(held.layer) || isSameInStock(held) ? undefined : className;
  const option = lacks(held);
  return option === undefined ? undefined : `${className} with ${option}`;
}

/** Stock layers that compute what a layer computes of which stock tfjs lacks something, or why there are none. */
export function stockLayers(held: HeldLayer): Source | string {
  const form = formOf(held);
  if (form !== undefined) return form.replace(held);
  return isKnownLayer(held.layer) ? "no stock layers compute it" : "it is a class of yours";
}
