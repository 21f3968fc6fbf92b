import { attr, intsOf, textOf } from "../ir/attrs.ts";
import { DT, sizeOf } from "../values/dtypes.ts";
import { constBytes, constNode, outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";

/**
 * Writes convolutions that are matrix products as such, in place, where TensorFlow's product is faster than its convolution
 * (oneDNN's, AVX-512 and AMX: 1.5 to 5 times over few positions; filter gradients in 16 bits 1.3 to 12 times over any
 * number): those with a 1x1 window, and those of larger windows whose picture is a single position, of which only the middle
 * weights count.
 */
export function multiplyPoints(roots: readonly GraphNode[], { is16Bit }: { is16Bit: boolean }): void {
  for (const node of reachable(roots)) {
    const rewrite = Object.hasOwn(rewrites, node.op) ? rewrites[node.op as keyof typeof rewrites] : undefined;
    if (rewrite !== undefined && node.attrs["T"]?.["type"] === DT.float32) rewrite(node, is16Bit);
  }
}

/**
 * Leaves of constant filters over a picture of a single position the middle weights, in place: the others meet padding alone,
 * and a prediction of one image takes as long as reading its weights does.
 */
export function cropToPoints(roots: readonly GraphNode[]): void {
  for (const node of reachable(roots)) {
    const [x, filter] = node.inputs;
    const weights = filter === undefined ? undefined : constBytes(filter.node);
    if (node.op !== "Conv2D" || x === undefined || filter === undefined || weights === undefined) continue;
    const { dtype, shape } = outputOf(filter);
    const point = pointOf(node, outputOf(x).shape, shape, node.outputs[0]!.shape);
    if (dtype !== DT.float32 || point?.at === undefined) continue;
    const { into, outOf, at } = point;
    const bytes = into * outOf * Float32Array.BYTES_PER_ELEMENT;
    const start = (at[0] * shape[1]! + at[1]) * bytes;
    const middle = weights.subarray(start, start + bytes);
    node.inputs = [x, { node: constNode(`${node.name}/middle`, DT.float32, [1, 1, into, outOf], middle), index: 0 }];
  }
}

/** Positions up to which a product is faster forward and for the input's gradient. */
const FEW_POSITIONS = 256;

/** Positions up to which a product is faster for the filter's gradient in float32. */
const SOME_POSITIONS = 2048;

/** Weights from which on a product is faster for the filter's gradient in 16 bits. */
const MANY_WEIGHTS = 4096;

const rewrites = {
  Conv2D(node: GraphNode): void {
    const [x, filter] = node.inputs as [Ref, Ref];
    const point = pointOf(node, outputOf(x).shape, outputOf(filter).shape, node.outputs[0]!.shape);
    if (point === undefined || point.positions > FEW_POSITIONS) return;
    const left = matrix(node, "x", x, [point.positions, point.into]);
    becomeReshaped(node, product(node, [left, weights(node, filter, point)]));
  },

  Conv2DBackpropInput(node: GraphNode): void {
    const [, filter, gradient] = node.inputs as [Ref, Ref, Ref];
    const point = pointOf(node, node.outputs[0]!.shape, outputOf(filter).shape, outputOf(gradient).shape);
    if (point === undefined || point.positions > FEW_POSITIONS) return;
    const left = matrix(node, "dy", gradient, [point.positions, point.outOf]);
    becomeReshaped(node, product(node, [left, weights(node, filter, point)], { turnsRight: true }));
  },

  Conv2DBackpropFilter(node: GraphNode, is16Bit: boolean): void {
    const [x, , gradient] = node.inputs as [Ref, Ref, Ref];
    const { shape } = node.outputs[0]!;
    const point = pointOf(node, outputOf(x).shape, shape, outputOf(gradient).shape);
    if (point === undefined) return;
    const { positions, into, outOf, at } = point;
    if (positions > SOME_POSITIONS && !(is16Bit && into * outOf >= MANY_WEIGHTS)) return;
    const sides = [matrix(node, "x", x, [positions, into]), matrix(node, "dy", gradient, [positions, outOf])] as const;
    const result = product(node, sides, { turnsLeft: true });
    if (at === undefined) return becomeReshaped(node, result);
    const around = at.flatMap((before, axis) => [before, shape[axis]! - 1 - before]);
    const paddings = ints(node, "paddings", [4, 2], [...around, 0, 0, 0, 0]);
    const attrs = { T: attr.type(DT.float32), Tpaddings: attr.type(DT.int32) };
    Object.assign(node, { op: "Pad", inputs: [matrix(node, "middle", result, [1, 1, into, outOf]), paddings], attrs });
  },
};

interface Point {
  /** Over all images. */
  positions: number;
  /** Channels. */
  into: number;
  outOf: number;
  /** Of a larger window: the row and column of the weights that count. */
  at?: [row: number, column: number];
}

/** The convolution as a product, or undefined where it is none. */
function pointOf(
  { attrs }: GraphNode,
  x: readonly number[],
  filter: readonly number[],
  y: readonly number[],
): Point | undefined {
  const [kh, kw, into, outOf] = filter as [number, number, number, number];
  const format = textOf(attrs["data_format"]);
  // Fewer channels in the filter than in the picture: a grouped convolution.
  if ((format !== "" && format !== "NHWC") || into !== x[3]) return undefined;
  const positions = sizeOf(y.slice(0, 3));
  if (positions === 0 || into === 0 || outOf === 0) return undefined;
  // Padding of its own, and gaps, could make sizes equal that mean other pixels.
  if (textOf(attrs["padding"]) === "EXPLICIT") return undefined;
  if (kh === 1 && kw === 1) return x[1] === y[1] && x[2] === y[2] ? { positions, into, outOf } : undefined;
  const isSingle = [x[1], x[2], y[1], y[2]].every((size) => size === 1);
  const gaps = intsOf(attrs["dilations"]);
  if (!isSingle || textOf(attrs["padding"]) !== "SAME" || gaps.some((gap) => gap !== 1)) return undefined;
  // "same" padding puts the odd one of an even window behind.
  return { positions, into, outOf, at: [Math.floor((kh - 1) / 2), Math.floor((kw - 1) / 2)] };
}

/** The weights that count as a matrix. */
function weights(node: GraphNode, filter: Ref, { into, outOf, at }: Point): Ref {
  if (at === undefined) return matrix(node, "w", filter, [into, outOf]);
  const inputs = [filter, ints(node, "begin", [4], [...at, 0, 0]), ints(node, "size", [4], [1, 1, into, outOf])];
  const attrs = { T: attr.type(DT.float32), Index: attr.type(DT.int32) };
  return matrix(node, "w", floats(`${node.name}/Slice`, "Slice", inputs, attrs, [1, 1, into, outOf]), [into, outOf]);
}

function matrix(node: GraphNode, name: string, x: Ref, shape: readonly number[]): Ref {
  const inputs = [x, ints(node, `${name}_shape`, [shape.length], shape)];
  return floats(`${node.name}/${name}`, "Reshape", inputs, reshaping, shape);
}

function product(
  node: GraphNode,
  [left, right]: readonly [Ref, Ref],
  { turnsLeft = false, turnsRight = false }: { turnsLeft?: boolean; turnsRight?: boolean } = {},
): Ref {
  const attrs = { T: attr.type(DT.float32), transpose_a: attr.bool(turnsLeft), transpose_b: attr.bool(turnsRight) };
  const shape = [outputOf(left).shape[turnsLeft ? 1 : 0]!, outputOf(right).shape[turnsRight ? 0 : 1]!];
  return floats(`${node.name}/MatMul`, "MatMul", [left, right], attrs, shape);
}

/** What a new node of one float32 output gives. */
function floats(name: string, op: string, inputs: Ref[], attrs: GraphNode["attrs"], shape: readonly number[]): Ref {
  return { node: { name, op, inputs, control: [], attrs, outputs: [{ dtype: DT.float32, shape }] }, index: 0 };
}

const reshaping = { T: attr.type(DT.float32), Tshape: attr.type(DT.int32) };

/** Makes a node the reshape of a product, so that all who use it do so. */
function becomeReshaped(node: GraphNode, x: Ref): void {
  const { shape } = node.outputs[0]!;
  Object.assign(node, { op: "Reshape", inputs: [x, ints(node, "shape", [shape.length], shape)], attrs: reshaping });
}

function ints({ name }: GraphNode, own: string, shape: readonly number[], values: readonly number[]): Ref {
  const bytes = new Uint8Array(Int32Array.from(values).buffer);
  return { node: constNode(`${name}/${own}`, DT.int32, shape, bytes), index: 0 };
}
