import { backend_util as util, type TensorInfo } from "@tensorflow/tfjs-core";

import { input, output, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

type Shape5 = [number, number, number, number, number];
type Size = number | [number, number, number];
type Volume = util.Conv3DInfo;
type Values = Float32Array;

/** `[n, d, h, w, c], [kd, kh, kw, c, f] -> [n, od, oh, ow, f]`, a convolution over three axes. */
export function conv3d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const [x, filter] = [input(inputs, "x"), input(inputs, "filter")];
  const info = convolution(x.shape, filter.shape, attrs);
  const y = output(context, info.outShape);
  const [from, weights, to] = [values(context, x), values(context, filter), values(context, y).fill(0)];
  const { inChannels, outChannels } = info;
  eachTap(info, (tap, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      const factor = from[place * inChannels + c]!;
      const row = (tap * inChannels + c) * outChannels;
      for (let f = 0; f < outChannels; f++) to[outPlace * outChannels + f]! += factor * weights[row + f]!;
    }
  });
  return y;
}

/** The gradient of a convolution's filter. */
export function conv3dBackpropFilter(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const [x, dy] = [input(inputs, "x"), input(inputs, "dy")];
  const info = convolution(x.shape, attrs["filterShape"] as Shape5, attrs);
  const out = output(context, info.filterShape);
  const [from, above, to] = [values(context, x), values(context, dy), values(context, out).fill(0)];
  const { inChannels, outChannels } = info;
  eachTap(info, (tap, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      const factor = from[place * inChannels + c]!;
      const row = (tap * inChannels + c) * outChannels;
      for (let f = 0; f < outChannels; f++) to[row + f]! += factor * above[outPlace * outChannels + f]!;
    }
  });
  return out;
}

/** The gradient of a convolution's input, which is what a transposed convolution computes. */
export function conv3dBackpropInput(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const [dy, filter] = [input(inputs, "dy"), input(inputs, "filter")];
  const info = convolution(attrs["inputShape"] as Shape5, filter.shape, attrs);
  const out = output(context, info.inShape);
  const [above, weights, to] = [values(context, dy), values(context, filter), values(context, out).fill(0)];
  const { inChannels, outChannels } = info;
  eachTap(info, (tap, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      const row = (tap * inChannels + c) * outChannels;
      let sum = 0;
      for (let f = 0; f < outChannels; f++) sum += above[outPlace * outChannels + f]! * weights[row + f]!;
      to[place * inChannels + c]! += sum;
    }
  });
  return out;
}

/** `[n, d, h, w, c] -> [n, od, oh, ow, c]`, the largest value of each window. */
export function maxPool3d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const info = pooling(x.shape, attrs);
  const y = output(context, info.outShape);
  const to = values(context, y).fill(-Infinity);
  const from = values(context, x);
  const { inChannels } = info;
  eachTap(info, (_, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      const at = outPlace * inChannels + c;
      const value = from[place * inChannels + c]!;
      // As in TensorFlow, a window's NaN is not its largest value.
      if (value > to[at]!) to[at] = value;
    }
  });
  return y;
}

/** `[n, d, h, w, c] -> [n, od, oh, ow, c]`, the mean of each window; padding does not count, as in TensorFlow. */
export function averagePool3d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const info = pooling(x.shape, attrs);
  const y = output(context, info.outShape);
  const [from, to] = [values(context, x), values(context, y).fill(0)];
  const { inChannels } = info;
  const counts = windowCounts(info);
  eachTap(info, (_, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      to[outPlace * inChannels + c]! += from[place * inChannels + c]! / counts[outPlace]!;
    }
  });
  return y;
}

/** The gradient goes to the first largest value of a window, as in TensorFlow. */
export function maxPool3dGrad(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const [dy, x] = [input(inputs, "dy"), input(inputs, "input")];
  const info = pooling(x.shape, attrs);
  const dx = output(context, info.inShape);
  const [from, above, to] = [values(context, x), values(context, dy), values(context, dx).fill(0)];
  const { inChannels } = info;
  const winners = new Int32Array(above.length).fill(-1);
  eachTap(info, (_, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      const at = outPlace * inChannels + c;
      const candidate = place * inChannels + c;
      if (winners[at]! < 0 || from[candidate]! > from[winners[at]!]!) winners[at] = candidate;
    }
  });
  for (const [at, winner] of winners.entries()) if (winner >= 0) to[winner]! += above[at]!;
  return dx;
}

/** Divides the gradient evenly among the input values of the window. */
export function averagePool3dGrad(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const [dy, x] = [input(inputs, "dy"), input(inputs, "input")];
  const info = pooling(x.shape, attrs);
  const dx = output(context, info.inShape);
  const [above, to] = [values(context, dy), values(context, dx).fill(0)];
  const { inChannels } = info;
  const counts = windowCounts(info);
  eachTap(info, (_, place, outPlace) => {
    for (let c = 0; c < inChannels; c++) {
      to[place * inChannels + c]! += above[outPlace * inChannels + c]! / counts[outPlace]!;
    }
  });
  return dx;
}

function convolution(shape: readonly number[], filterShape: readonly number[], attrs: Attrs): Volume {
  const { strides, dilations = 1, pad } = attrs as { strides: Size; dilations?: Size; pad: "same" | "valid" };
  return padded(util.computeConv3DInfo(shape as Shape5, filterShape as Shape5, strides, dilations, pad));
}

function pooling(shape: readonly number[], attrs: Attrs): Volume {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as {
    filterSize: Size;
    strides: Size;
    pad: "same";
    dimRoundingMode?: "floor";
  };
  return padded(util.computePool3DInfo(shape as Shape5, filterSize, strides, 1, pad, dimRoundingMode));
}

/**
 * Replaces negative padding by none, as in TensorFlow. For "same", tfjs-core computes negative padding if the stride
 * exceeds the window.
 */
function padded(info: Volume): Volume {
  const { front, top, left } = info.padInfo;
  const padInfo = { ...info.padInfo, front: Math.max(0, front), top: Math.max(0, top), left: Math.max(0, left) };
  return { ...info, padInfo };
}

function values({ backend }: Context, tensor: TensorInfo): Values {
  return backend.typedArrayFromHeap(tensor) as Values;
}

/**
 * Calls `visit` for every window position inside the input, with the tap's index in the window, the
 * input position and the output position, both without channels. Windows are visited in the order of their taps.
 */
function eachTap(info: Volume, visit: (tap: number, place: number, outPlace: number) => void): void {
  const { batchSize, inDepth, inHeight, inWidth, outDepth, outHeight, outWidth, padInfo } = info;
  for (let n = 0; n < batchSize; n++) {
    for (let z = 0; z < outDepth; z++) {
      for (let y = 0; y < outHeight; y++) {
        for (let x = 0; x < outWidth; x++) {
          const outPlace = ((n * outDepth + z) * outHeight + y) * outWidth + x;
          for (let i = 0; i < info.filterDepth; i++) {
            const depth = z * info.strideDepth + i * info.dilationDepth - padInfo.front;
            if (depth < 0 || depth >= inDepth) continue;
            for (let j = 0; j < info.filterHeight; j++) {
              const row = y * info.strideHeight + j * info.dilationHeight - padInfo.top;
              if (row < 0 || row >= inHeight) continue;
              for (let k = 0; k < info.filterWidth; k++) {
                const column = x * info.strideWidth + k * info.dilationWidth - padInfo.left;
                if (column < 0 || column >= inWidth) continue;
                const tap = (i * info.filterHeight + j) * info.filterWidth + k;
                visit(tap, ((n * inDepth + depth) * inHeight + row) * inWidth + column, outPlace);
              }
            }
          }
        }
      }
    }
  }
}

/** Number of input values in each window, without padding. */
function windowCounts(info: Volume): Int32Array {
  const counts = new Int32Array(info.batchSize * info.outDepth * info.outHeight * info.outWidth);
  eachTap(info, (_, __, outPlace) => counts[outPlace]!++);
  return counts;
}
