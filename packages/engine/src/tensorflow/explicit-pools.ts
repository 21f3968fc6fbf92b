import * as tf from "@tensorflow/tfjs-core";

import { refineKernel } from "./refine-kernel.ts";

/** Padding before and after each spatial axis. */
type Pads = readonly (readonly [before: number, after: number])[];

interface Pool {
  readonly filter: readonly number[];
  readonly strides: readonly number[];
  readonly pads: Pads;
}

const pools = ["MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"] as const;

/**
 * Registers pools with explicit padding and their gradients. TensorFlow's ops do not take such padding, so the input
 * is padded and the op runs with "valid". Average pools leave the padding out of the mean, as with "same".
 */
export function registerExplicitPools(): void {
  for (const name of pools) {
    refineKernel(name, (stock) => (parameters) => {
      const x = parameters.inputs["x"] as tf.Tensor;
      const pool = explicitPool(x.shape, parameters.attrs);
      if (pool === undefined) return stock(parameters);
      const valid = (input: tf.Tensor) =>
        stock({ ...parameters, inputs: { x: input }, attrs: validAttrs(pool) }) as tf.Tensor;
      return tf.tidy(() =>
        name.startsWith("Max")
          ? valid(padded(x, pool, -Infinity))
          : tf.mul(valid(padded(x, pool, 0)), scaleOf(x, pool, valid)),
      );
    });
    refineKernel(`${name}Grad`, (stock) => (parameters) => {
      const { dy, input, output } = parameters.inputs as Record<string, tf.Tensor>;
      const pool = explicitPool(input!.shape, parameters.attrs);
      if (pool === undefined) return stock(parameters);
      return tf.tidy(() => {
        const isMax = name.startsWith("Max");
        const whole = padded(input!, pool, isMax ? -Infinity : 0);
        const stockPool = tf.getKernel(name, "tensorflow");
        const valid = (x: tf.Tensor) =>
          stockPool.kernelFunc({ ...parameters, inputs: { x }, attrs: validAttrs(pool) }) as tf.Tensor;
        const above = isMax ? dy! : tf.mul(dy!, scaleOf(input!, pool, valid));
        const inputs = { dy: above, input: whole, ...(output === undefined ? {} : { output }) };
        const gradient = stock({ ...parameters, inputs, attrs: validAttrs(pool) }) as tf.Tensor;
        return inner(gradient, input!.shape, pool);
      });
    });
  }
}

/** The pool that `attrs` describe; undefined if its padding is "valid" or "same". */
function explicitPool(shape: readonly number[], attrs: tf.NamedAttrMap | undefined): Pool | undefined {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as tf.MaxPoolAttrs;
  if (pad === "valid" || pad === "same") return undefined;
  if (shape.length === 4) {
    const info = tf.backend_util.computePool2DInfo(shape as never, filterSize, strides, 1, pad, dimRoundingMode);
    return poolOf(
      shape,
      [info.filterHeight, info.filterWidth],
      [info.strideHeight, info.strideWidth],
      [info.padInfo.top, info.padInfo.left],
      [info.outHeight, info.outWidth],
    );
  }
  const info = tf.backend_util.computePool3DInfo(
    shape as never,
    filterSize as never,
    strides as never,
    1,
    pad as never,
    dimRoundingMode,
  );
  return poolOf(
    shape,
    [info.filterDepth, info.filterHeight, info.filterWidth],
    [info.strideDepth, info.strideHeight, info.strideWidth],
    [info.padInfo.front, info.padInfo.top, info.padInfo.left],
    [info.outDepth, info.outHeight, info.outWidth],
  );
}

function poolOf(
  shape: readonly number[],
  filter: readonly number[],
  strides: readonly number[],
  before: readonly number[],
  out: readonly number[],
): Pool {
  // Padding after the input that makes "valid" give the requested number of windows; negative if rows are left over.
  const after = out.map(
    (count, axis) => (count - 1) * strides[axis]! + filter[axis]! - shape[axis + 1]! - before[axis]!,
  );
  return { filter, strides, pads: before.map((size, axis) => [size, after[axis]!] as const) };
}

function validAttrs({ filter, strides }: Pool): tf.NamedAttrMap {
  return { filterSize: [...filter], strides: [...strides], pad: "valid" } as unknown as tf.NamedAttrMap;
}

function padded(x: tf.Tensor, { pads }: Pool, value: number): tf.Tensor {
  const sizes = [...x.shape];
  for (const [axis, [, after]] of pads.entries()) sizes[axis + 1] = sizes[axis + 1]! + Math.min(0, after);
  const seen = tf.slice(
    x,
    x.shape.map(() => 0),
    sizes,
  );
  const around = [[0, 0], ...pads.map(([before, after]) => [before, Math.max(0, after)]), [0, 0]];
  return tf.pad(seen, around as [number, number][], value);
}

/** Correction factor for the mean of a padded window: the window's size divided by its number of input elements. */
function scaleOf(x: tf.Tensor, pool: Pool, valid: (input: tf.Tensor) => tf.Tensor): tf.Tensor {
  const ones = tf.ones([1, ...x.shape.slice(1, -1), 1]);
  return tf.divNoNan(1, valid(padded(ones, pool, 0)));
}

/** Crops a padded input's gradient to the input. Rows outside all windows get a gradient of 0. */
function inner(gradient: tf.Tensor, shape: readonly number[], { pads }: Pool): tf.Tensor {
  const begin = [0, ...pads.map(([before]) => before), 0];
  const sizes = shape.map((size, axis) => Math.min(size, gradient.shape[axis]! - begin[axis]!));
  const seen = tf.slice(gradient, begin, sizes);
  return tf.pad(
    seen,
    shape.map((size, axis) => [0, size - sizes[axis]!] as [number, number]),
  );
}
