import type { backend_util } from "@tensorflow/tfjs-core";

/** A window that moves over images: its size, strides, dilations and padding, and the output shape. */
export type Window = backend_util.Conv2DInfo;

/** Images `[n, h, w, c]`, as tfjs' own functions take their shape. */
export type Shape4 = [number, number, number, number];

/** Fields that the assembly's structures `Conv`, `Depthwise` and `Pool` share; `filters` for convolutions only. */
export function windowFields(info: Window, filters?: number): number[] {
  return [
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    ...(filters === undefined ? [] : [filters]),
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
  ];
}

/** Tensor addresses and other fields of a convolution, depthwise or not. */
export interface FilterFields {
  x: number;
  filter: number;
  y: number;
  bias?: number;
  activation?: number;
  partials?: number;
}

/**
 * The structures `Conv` and `Depthwise` of the assembly, which differ in `filters`: the number of all filters, or of
 * the filters per channel.
 */
export function filterArgs(
  info: Window,
  filters: number,
  { x, filter, y, bias = 0, activation = 0, partials = 0 }: FilterFields,
): number[] {
  return [x, filter, y, ...windowFields(info, filters), bias, activation, partials];
}
