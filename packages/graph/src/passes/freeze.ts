import { attr } from "../ir/attrs.ts";
import { DT, sizeOf, widthOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { constBytes, constNode, outputOf, reachable, withUses } from "../ir/graph-node.ts";
import type { GraphNode, Output, Ref } from "../ir/graph-node.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";

/** Bytes of weights above which they are not frozen: TensorFlow copies constants several times while it optimises. */
const FROZEN_BYTES = 1.5 * 2 ** 30;

/**
 * Turns reads of variables into constants with the values they have now, and folds batch norm into the convolution
 * before it, so that TensorFlow fuses convolution, bias and ReLU and keeps the weights in the layout its kernels like.
 */
export function freeze(variables: Iterable<TracedVariable>, roots: readonly GraphNode[]): void {
  const byHandle = new Map([...variables].map((traced) => [traced.handle, traced]));
  let bytes = 0;
  for (const node of reachable(roots)) {
    if (node.op !== "ReadVariableOp") continue;
    const traced = byHandle.get((node.inputs[0] as Ref).node) as TracedVariable;
    if (traced.writes.length > 0)
      throw new GraphError(
        `A frozen function cannot write variables, and this one writes ${traced.variable.name}; compile it without freeze.`,
      );
    const { dtype, shape } = outputOf({ node, index: 0 });
    bytes += sizeOf(shape) * widthOf(dtype);
    if (bytes > FROZEN_BYTES)
      throw new GraphError(
        `The weights take more than ${FROZEN_BYTES} bytes, too much to freeze; compile the function without freeze.`,
      );
    become(node, dtype, shape, traced.variable.dataSync() as TypedArray);
  }
  foldBatchNorms(roots);
  fuseShortcuts(roots);
}

/** Makes a node a constant in place, so that all who use it do so. */
function become(node: GraphNode, dtype: number, shape: readonly number[], values: TypedArray): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const { op, inputs, control, attrs, outputs } = constNode(node.name, dtype, shape, bytes);
  Object.assign(node, { op, inputs, control, attrs, outputs });
}

/** Writes the sum of a convolution with bias and a shortcut as `AddN`, the one sum that TensorFlow fuses with the convolution. */
function fuseShortcuts(roots: readonly GraphNode[]): void {
  const { nodes, uses } = withUses(roots);
  const isConvolution = ({ node }: Ref): boolean =>
    node.op === "BiasAdd" &&
    uses(node) === 1 &&
    node.inputs[0]?.node.op === "Conv2D" &&
    uses(node.inputs[0].node) === 1;
  for (const node of nodes) {
    if (!/^Add(V2)?$/.test(node.op) || !node.inputs.some(isConvolution)) continue;
    const [left, right] = node.inputs.map(outputOf) as [Output, Output];
    if (left.dtype !== DT.float32 || `${left.shape}` !== `${right.shape}`) continue;
    Object.assign(node, { op: "AddN", attrs: { N: attr.int(2), T: attr.type(DT.float32) } });
  }
}

function foldBatchNorms(roots: readonly GraphNode[]): void {
  const { nodes, uses } = withUses(roots);
  for (const norm of nodes) {
    if (!norm.op.startsWith("FusedBatchNorm") || norm.attrs["is_training"]?.["b"] !== false) continue;
    const [x, ...parameters] = norm.inputs as [Ref, Ref, Ref, Ref, Ref];
    const [scale, offset, mean, variance] = parameters.map(constantFloats);
    if (!scale || !offset || !mean || !variance || uses(x.node) !== 1) continue;
    const biased = x.node.op === "BiasAdd" ? x.node : undefined;
    const conv = biased === undefined ? x.node : (biased.inputs[0] as Ref).node;
    const bias = biased === undefined ? undefined : constantFloats(biased.inputs[1] as Ref);
    const filter = conv.inputs[1] === undefined ? undefined : constantFloats(conv.inputs[1]);
    if (!/^(Conv2D|DepthwiseConv2dNative)$/.test(conv.op) || filter === undefined) continue;
    if (biased !== undefined && (bias === undefined || uses(conv) !== 1)) continue;
    const epsilon = (norm.attrs["epsilon"]?.["f"] as number | undefined) ?? 1e-4;
    const factors = scale.map((gain, c) => gain / Math.sqrt((variance[c] as number) + epsilon));
    const shift = offset.map((o, c) => o + ((bias?.[c] ?? 0) - (mean[c] as number)) * (factors[c] as number));
    // The last axes of both filters run over the output's channels: [.., in, out] and [.., in, multiplier].
    const folded = filter.map((weight, i) => weight * (factors[i % factors.length] as number));
    const { shape } = outputOf(conv.inputs[1] as Ref);
    const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const newFilter = constNode(`${norm.name}/filter`, DT.float32, shape, bytesOf(folded));
    const newBias = constNode(`${norm.name}/bias`, DT.float32, [shift.length], bytesOf(shift));
    const product: GraphNode = {
      ...conv,
      name: `${norm.name}/conv`,
      inputs: [conv.inputs[0] as Ref, { node: newFilter, index: 0 }],
    };
    Object.assign(norm, {
      op: "BiasAdd",
      inputs: [
        { node: product, index: 0 },
        { node: newBias, index: 0 },
      ],
      attrs: { T: attr.type(DT.float32), data_format: attr.string("NHWC") },
      outputs: norm.outputs.slice(0, 1),
    });
  }
}

/** The numbers of a float32 constant, or of a fill with one. */
function constantFloats({ node }: Ref): Float32Array | undefined {
  const { dtype, shape } = outputOf({ node, index: 0 });
  if (dtype !== DT.float32) return undefined;
  if (node.op === "Fill") {
    const value = constantFloats(node.inputs[1] as Ref)?.[0];
    return value === undefined ? undefined : new Float32Array(sizeOf(shape)).fill(value);
  }
  const bytes = constBytes(node);
  if (bytes === undefined) return undefined;
  return bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : new Float32Array(bytes.slice().buffer);
}
