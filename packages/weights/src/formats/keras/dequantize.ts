import { computedTensor, countOf } from "../../bytes/named-tensor.ts";
import type { NamedTensor, TensorData } from "../../bytes/named-tensor.ts";
import { sameShape } from "../../model/assign.ts";

/** What the layer that takes the tensors is. */
export interface PlainLayer {
  readonly className: string;
  /** Of an EinsumDense: its equation. */
  readonly equation?: string;
  /** Shapes of its weights: a kernel, or embeddings, and a bias. */
  readonly shapes: readonly (readonly number[])[];
  /** The factor of LoRA's product, `lora_alpha / lora_rank`, if the file states it. */
  readonly loraFactor?: number | undefined;
}

export interface PlainTensors {
  readonly tensors: readonly NamedTensor[];
  /** What was undone, as a note tells it. */
  readonly what: "int8" | "int4" | "float8" | "LoRA";
}

const quantizedClasses = ["Dense", "EinsumDense", "Embedding"];

/**
 * The weights of a layer that Keras quantized to int8, int4 or float8, or to which it added LoRA, as the float weights
 * that they stand for. Undefined if the tensors are something else. Order: Keras 3's `variable_serialization_spec`.
 */
export function plainTensors(layer: PlainLayer, saved: readonly NamedTensor[]): PlainTensors | undefined {
  const count = layer.shapes.length;
  if (saved.length <= count || count === 0 || count > 2) return undefined;
  const tensors = inOrder(saved);
  const merged = withLora(layer, tensors);
  if (merged !== undefined) return { tensors: merged, what: "LoRA" };
  if (!quantizedClasses.includes(layer.className)) return undefined;
  const [plain, extra] = [tensors.slice(0, count), tensors.slice(count)];
  if (isFloat8(extra)) return { tensors: plain, what: "float8" };
  const [kernel, ...rest] = plain;
  const [scale, zero, groups] = extra;
  if (kernel?.dtype !== "int8" || scale === undefined) return undefined;
  const shape = layer.shapes[0]!;
  const made = (values: () => Float32Array<ArrayBuffer>): readonly NamedTensor[] => [
    computedTensor({ ...kernel, shape, dtype: "float32", read: values }),
    ...rest,
  ];
  const isEmbedding = layer.className === "Embedding";
  const packed = sameShape(kernel.shape, shape) ? undefined : unpacker(layer, kernel);
  if (extra.length === 1 && (packed !== undefined || sameShape(kernel.shape, shape))) {
    // A kernel packed as a matrix has one scale for each of its columns.
    const scaleOf =
      packed === undefined || packed.isFirst || isEmbedding
        ? scaleIndex(layer, countOf(scale.shape))
        : countOf(scale.shape) === packed.columns && ((index: number) => index % packed.columns);
    if (scaleOf === undefined || scaleOf === false) return undefined;
    const values = (): TensorData | Int8Array => packed?.read() ?? kernel.read();
    return {
      tensors: made(() => divided(values(), scale.read(), scaleOf)),
      what: packed === undefined ? "int8" : "int4",
    };
  }
  if (extra.length !== 3 || zero === undefined || groups === undefined || packed === undefined) return undefined;
  const { columns } = packed;
  const rows = countOf(shape) / columns;
  const groupCount = countOf(scale.shape) / (isEmbedding ? rows : columns);
  if (!sameShape(zero.shape, scale.shape) || countOf(groups.shape) !== (isEmbedding ? columns : rows)) return undefined;
  return {
    tensors: made(() => grouped(packed.read(), { scale, zero, groups, columns, groupCount, isEmbedding })),
    what: "int4",
  };
}

const nameOrder = [
  "kernel",
  "embeddings",
  "bias",
  "kernel_scale",
  "embeddings_scale",
  "kernel_zero",
  "embeddings_zero",
  "g_idx",
];

/** The tensors of an .h5, which have names, in the order of Keras 3's files, which have numbers. */
function inOrder(tensors: readonly NamedTensor[]): readonly NamedTensor[] {
  const rank = (tensor: NamedTensor): number => nameOrder.indexOf(lastName(tensor));
  if (tensors.some((tensor) => rank(tensor) === -1)) return tensors;
  return tensors.toSorted((a, b) => rank(a) - rank(b));
}

function lastName({ name }: NamedTensor): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** A kernel with the product of LoRA's two matrices added; a .keras file has them merged already. */
function withLora(layer: PlainLayer, tensors: readonly NamedTensor[]): readonly NamedTensor[] | undefined {
  const find = (name: RegExp): NamedTensor | undefined => tensors.find((tensor) => name.test(lastName(tensor)));
  const [kernel, bias] = [find(/^(kernel|embeddings)$/), find(/^bias$/)];
  const [a, b] = [find(/^lora_(kernel|embeddings)_a$/), find(/^lora_(kernel|embeddings)_b$/)];
  const { loraFactor } = layer;
  if (kernel === undefined || a === undefined || b === undefined || loraFactor === undefined) return undefined;
  if (tensors.length !== layer.shapes.length + 2 || kernel.dtype === "int8") return undefined;
  const [rank, columns] = [b.shape[0]!, b.shape.slice(1).reduce((product, size) => product * size, 1)];
  if (countOf(a.shape) * columns !== countOf(kernel.shape) * rank) return undefined;
  const read = (): TensorData => {
    const [values, left, right] = [Float32Array.from(kernel.read()), a.read(), b.read()];
    for (let index = 0; index < values.length; index++) {
      const [row, column] = [Math.floor(index / columns), index % columns];
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[row * rank + k]! * right[k * columns + column]!;
      values[index]! += loraFactor * sum;
    }
    return values;
  };
  return [computedTensor({ ...kernel, dtype: "float32", read }), ...(bias === undefined ? [] : [bias])];
}

/** The scales and histories that float8 keeps beside float weights. */
function isFloat8(extra: readonly NamedTensor[]): boolean {
  return extra.length === 6 && extra.every(({ shape }, index) => shape.length === index % 2);
}

/** Which scale each element of an int8 kernel has. */
function scaleIndex(
  { className, equation, shapes }: PlainLayer,
  scales: number,
): ((index: number) => number) | undefined {
  const shape = shapes[0]!;
  const last = shape.at(-1)!;
  if (className === "Embedding") return scales === shape[0] ? (index) => Math.floor(index / last) : undefined;
  if (className === "Dense") return scales === last ? (index) => index % last : undefined;
  // Of an EinsumDense there is one for each combination of the kernel's axes that its output has, in the output's order.
  const [, , kernelAxes = "", outputAxes = ""] = /^([^,]*),([^-]*)->(.*)$/.exec(equation ?? "") ?? [];
  const axes = [...outputAxes].filter((axis) => /[a-zA-Z]/.test(axis) && kernelAxes.includes(axis));
  if (kernelAxes.length !== shape.length) return undefined;
  const sizes = axes.map((axis) => shape[kernelAxes.indexOf(axis)]!);
  if (sizes.reduce((product, size) => product * size, 1) !== scales) return undefined;
  const steps = [...kernelAxes].map((axis) => {
    const at = axes.indexOf(axis);
    return at === -1 ? 0 : sizes.slice(at + 1).reduce((product, size) => product * size, 1);
  });
  return (index) => {
    let [rest, scale] = [index, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      scale += (rest % shape[axis]!) * steps[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return scale;
  };
}

function divided(
  values: TensorData | Int8Array,
  scales: TensorData,
  scaleOf: (index: number) => number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value, index) => value / scales[scaleOf(index)]!);
}

interface Groups {
  readonly scale: NamedTensor;
  readonly zero: NamedTensor;
  readonly groups: NamedTensor;
  readonly columns: number;
  readonly groupCount: number;
  readonly isEmbedding: boolean;
}

/** Values of groups of rows, or of an embedding's columns, each with a scale and a zero. */
function grouped(
  values: Int8Array,
  { scale, zero, groups, columns, groupCount, isEmbedding }: Groups,
): Float32Array<ArrayBuffer> {
  const [scales, zeros, groupOf] = [scale.read(), zero.read(), groups.read()];
  return Float32Array.from(values, (value, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const at = isEmbedding ? row * groupCount + groupOf[column]! : groupOf[row]! * columns + column;
    return (value - zeros[at]!) * scales[at]!;
  });
}

/**
 * Reads numbers of 4 bits, two in a byte, the first in the lower half. The kernel is packed as a matrix along its last
 * axis, by older Keras along its first.
 */
function unpacker(
  { className, shapes }: PlainLayer,
  kernel: NamedTensor,
): { readonly columns: number; readonly isFirst: boolean; read(): Int8Array } | undefined {
  const shape = shapes[0]!;
  const total = countOf(shape);
  const packedColumns = kernel.shape.at(-1)!;
  const halved = [Math.ceil(shape[0]! / 2), ...shape.slice(1)];
  const isFirst = className !== "Embedding" && shape[0]! > 1 && sameShape(kernel.shape, halved);
  const columns = isFirst ? total / shape[0]! : total / countOf(kernel.shape.slice(0, -1));
  if (!isFirst && Math.ceil(columns / 2) !== packedColumns) return undefined;
  const read = (): Int8Array => {
    const packed = new Int8Array(kernel.readBytes());
    return Int8Array.from({ length: total }, (_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      return isFirst
        ? half(packed[(row >> 1) * columns + column]!, row % 2)
        : half(packed[row * packedColumns + (column >> 1)]!, column % 2);
    });
  };
  return { columns, isFirst, read };
}

/** The lower or upper four bits, signed. */
function half(byte: number, which: number): number {
  return which === 0 ? (byte << 28) >> 28 : byte >> 4;
}
