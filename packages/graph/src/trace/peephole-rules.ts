import { attr } from "../ir/attrs.ts";
import type { Attr } from "../ir/attrs.ts";
import { DT, sizeOf } from "../values/dtypes.ts";
import { constBytes, outputOf } from "../ir/graph-node.ts";
import type { Ref } from "../ir/graph-node.ts";
import type { Recorder } from "./recorder.ts";

type Rule = (trace: Recorder, attrs: Record<string, Attr>, inputs: readonly Ref[]) => Ref | undefined;

/**
 * What TensorFlow says in one op and tfjs in several, and what tfjs adds for nothing. Grappler would find some of it, at
 * the first run of each trace; the masks of ReLU's gradient and the batched products of dense layers it would not.
 */
const rules: Record<string, Rule> = {
  Cast: (_, { SrcT, DstT }, [x]) => (SrcT?.["type"] === DstT?.["type"] ? x : undefined),

  // `predict` cuts a batch out of what is one batch, which would fix its size.
  Slice: (_, __, [x, begin, size]) => {
    if (x === undefined || begin === undefined || size === undefined) return undefined;
    const { shape } = outputOf(x);
    const isAll = constantInts(size)?.every((length, axis) => length === shape[axis] || length === -1);
    return isAll === true && constantInts(begin)?.every((at) => at === 0) === true ? x : undefined;
  },

  Reshape: (trace, attrs, [x, shape]) => {
    if (x === undefined || shape === undefined) return undefined;
    const from = x.node.op === "Reshape" ? (x.node.inputs[0] as Ref) : x;
    const wanted = constantInts(shape);
    if (wanted === undefined) return undefined;
    if (sameShape(outputOf(from).shape, wanted)) return from;
    return from === x ? undefined : { node: trace.add("Reshape", attrs, [from, shape]), index: 0 };
  },

  Mul: (trace, _, [a, b]) => {
    for (const [gradient, mask] of [
      [a, b],
      [b, a],
    ]) {
      if (gradient === undefined || mask === undefined) continue;
      const features = trace.steps.get(mask.node);
      if (features === undefined || !sameShape(outputOf(gradient).shape, outputOf(features).shape)) continue;
      // By ReLU's result, not by its input: who needs the input only for ReLU can be fused with it.
      const known = (features.index === 0 && trace.relus.get(features.node)) || features;
      return { node: trace.add("ReluGrad", { T: attr.type(DT.float32) }, [gradient, known]), index: 0 };
    }
    return undefined;
  },

  // tfjs' gradient of leaky ReLU asks for the sign of its input, which then cannot be fused with what is before it.
  Select: (trace, _, [mask, gradient, scaled]) => {
    if (mask === undefined || gradient === undefined || scaled?.node.op !== "Mul") return undefined;
    const [features, zero] = mask.node.op === "Greater" ? mask.node.inputs : [];
    const leaky = features?.index === 0 ? trace.leakyRelus.get(features.node) : undefined;
    if (zero === undefined || leaky === undefined || constantFloat(zero) !== 0) return undefined;
    const alpha = leaky.attrs["alpha"] as { f: number };
    const [factor] = scaled.node.inputs.filter((input) => !sameRef(input, gradient)) as [Ref?];
    if (factor === undefined || constantFloat(factor) !== Math.fround(alpha.f) || !(alpha.f > 0)) return undefined;
    if (!sameShape(outputOf(gradient).shape, leaky.outputs[0]?.shape ?? [])) return undefined;
    // By the result, whose sign is that of the input.
    const result = { node: leaky, index: 0 };
    return { node: trace.add("LeakyReluGrad", { T: attr.type(DT.float32), alpha }, [gradient, result]), index: 0 };
  },

  Add: (trace, { T }, [x, bias]) => {
    if (x === undefined || bias === undefined || T === undefined) return undefined;
    const { shape, dtype } = outputOf(x);
    const { shape: biasShape } = outputOf(bias);
    if (dtype !== DT.float32 || shape.length < 2 || biasShape.length !== 1 || shape.at(-1) !== biasShape[0])
      return undefined;
    const matrix = matrixBehind(x);
    const attrs = { T, data_format: attr.string("NHWC") };
    const sum = { node: trace.add("BiasAdd", attrs, [matrix ?? x, bias]), index: 0 };
    return matrix === undefined ? sum : reshaped(trace, sum, shape);
  },

  Relu: (trace, attrs, [x]) => {
    const result = activated(trace, "Relu", attrs, x);
    if (result !== undefined && x !== undefined) trace.relus.set(x.node, result);
    return result;
  },
  Relu6: (trace, attrs, [x]) => activated(trace, "Relu6", attrs, x),
  Elu: (trace, attrs, [x]) => activated(trace, "Elu", attrs, x),
  Tanh: (trace, attrs, [x]) => activated(trace, "Tanh", attrs, x),
  Sigmoid: (trace, attrs, [x]) => activated(trace, "Sigmoid", attrs, x),

  Sum: (trace, { T, keep_dims }, [x, axes]) => {
    if (x === undefined || axes === undefined || T === undefined || keep_dims?.["b"] === true) return undefined;
    const { shape, dtype } = outputOf(x);
    const reduced = constantInts(axes)?.toSorted((a, b) => a - b);
    if (dtype !== DT.float32 || shape.length < 2 || reduced === undefined) return undefined;
    if (!sameShape(reduced, [...shape.slice(1).keys()])) return undefined;
    return { node: trace.add("BiasAddGrad", { T, data_format: attr.string("NHWC") }, [x]), index: 0 };
  },

  BatchMatMulV2: (trace, { T, adj_x, adj_y }, [a, b]) => {
    if (a === undefined || b === undefined || T === undefined) return undefined;
    const [left, right] = [flat(trace, a), flat(trace, b)];
    if (left === undefined || right === undefined) return undefined;
    if (isFasterBatched(outputOf(a).shape, outputOf(b).shape, adj_x?.["b"] === true, adj_y?.["b"] === true))
      return undefined;
    const attrs = { T, transpose_a: adj_x ?? attr.bool(false), transpose_b: adj_y ?? attr.bool(false) };
    const product: Ref = { node: trace.add("MatMul", attrs, [left, right]), index: 0 };
    const rank = Math.max(outputOf(a).shape.length, outputOf(b).shape.length);
    return reshaped(trace, product, [...Array.from({ length: rank - 2 }, () => 1), ...outputOf(product).shape]);
  },
};

/** A shorter way to the result of an op with one output, or undefined. */
export function simplify(
  trace: Recorder,
  op: string,
  attrs: Record<string, Attr>,
  inputs: readonly Ref[],
): Ref | undefined {
  return Object.hasOwn(rules, op) ? (rules[op] as Rule)(trace, attrs, inputs) : undefined;
}

/** Multiplications from which on the choice of TensorFlow's matrix product matters. */
const largeProduct = 2 ** 24;

/** The rows summed over from which on a left side is better turned by the batched product. */
const manyRows = 128;

/**
 * Whether TensorFlow's batched product (oneDNN's primitive) beats its plain one (oneDNN's `sgemm`), as measured over dense
 * layers' gradients on AVX-512: by 1.1 to 2 times where the right side is turned, or the left side over 128 rows or more;
 * over few rows the plain one is up to twice as fast.
 */
function isFasterBatched(a: readonly number[], b: readonly number[], turnsLeft: boolean, turnsRight: boolean): boolean {
  const [rows, summed] = turnsLeft ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const columns = b.at(turnsRight ? -2 : -1)!;
  if (turnsLeft === turnsRight || rows * summed * columns < largeProduct) return false;
  return turnsRight || summed >= manyRows;
}

/** The product, or product and bias, that `x` is a stack of one of: what TensorFlow fuses with a bias and an activation. */
function matrixBehind({ node }: Ref): Ref | undefined {
  const [matrix] = node.op === "Reshape" ? node.inputs : [];
  if (matrix === undefined || !/^(MatMul|BiasAdd)$/.test(matrix.node.op)) return undefined;
  const [from, to] = [outputOf(matrix).shape, node.outputs[0]!.shape];
  return from.length === 2 && sameShape(to.slice(-2), from) ? matrix : undefined;
}

/** The activation of the matrix that `x` is a stack of one of. */
function activated(trace: Recorder, op: string, attrs: Record<string, Attr>, x: Ref | undefined): Ref | undefined {
  const matrix = x === undefined ? undefined : matrixBehind(x);
  if (x === undefined || matrix === undefined) return undefined;
  return reshaped(trace, { node: trace.add(op, attrs, [matrix]), index: 0 }, outputOf(x).shape);
}

/** A matrix from a stack of one matrix. */
function flat(trace: Recorder, x: Ref): Ref | undefined {
  const { shape } = outputOf(x);
  if (sizeOf(shape.slice(0, -2)) !== 1 || shape.length < 2) return undefined;
  return reshaped(trace, x, shape.slice(-2));
}

function reshaped(trace: Recorder, x: Ref, shape: readonly number[]): Ref {
  const from = x.node.op === "Reshape" ? (x.node.inputs[0] as Ref) : x;
  if (sameShape(outputOf(from).shape, shape)) return from;
  const dims = trace.constant(DT.int32, [shape.length], Int32Array.from(shape));
  const attrs = { T: attr.type(outputOf(from).dtype), Tshape: attr.type(DT.int32) };
  return { node: trace.add("Reshape", attrs, [from, dims]), index: 0 };
}

/** The number of a constant float32 scalar. */
function constantFloat({ node }: Ref): number | undefined {
  const bytes = constBytes(node);
  if (bytes === undefined || node.outputs[0]?.dtype !== DT.float32 || node.outputs[0].shape.length > 0)
    return undefined;
  return new Float32Array(bytes.slice().buffer)[0];
}

function sameRef(a: Ref, b: Ref): boolean {
  return a.node === b.node && a.index === b.index;
}

function constantInts({ node }: Ref): number[] | undefined {
  const bytes = constBytes(node);
  if (bytes === undefined) return undefined;
  const { buffer, byteOffset, byteLength } = bytes.slice();
  return [...new Int32Array(buffer, byteOffset, byteLength / 4)];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
