import { countOf } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { bytesIn, isComposed } from "./composed-tensor.ts";
import type { ComposedTensor } from "./composed-tensor.ts";
import { PickleGlobal } from "./pickle.ts";
import type { PickleValue } from "./pickle.ts";
import type { FoundTensor } from "./states.ts";
import { StridedTensor, UnreadTensor } from "./stored-tensor.ts";

/**
 * A quantized tensor as floats: `(element - zero point) * scale`, with one scale for the tensor or for each place of an
 * axis (torch.quantize_per_tensor, torch.quantize_per_channel). `quantizer` is what PyTorch keeps of it.
 */
export function quantizedTensor(
  file: string,
  elements: StridedTensor,
  quantizer: PickleValue | undefined,
): ComposedTensor | UnreadTensor {
  const [scheme, scale, zero, axis = 0] = Array.isArray(quantizer) ? quantizer : [];
  const kind = scheme instanceof PickleGlobal ? scheme.path : "an unknown scheme";
  const common = { kind: "quantized", shape: elements.shape, dtype: "float32" } as const;
  if (kind === "torch.per_tensor_affine" && typeof scale === "number" && typeof zero === "number") {
    const factor = Math.fround(scale);
    const compose = ([values]: readonly NamedTensor[]): Uint8Array<ArrayBuffer> =>
      bytesIn(Float32Array.from(values!.read(), (value) => (value - zero) * factor));
    return { ...common, parts: [elements], compose };
  }
  const isByChannel = kind === "torch.per_channel_affine" || kind === "torch.per_channel_affine_float_qparams";
  if (!isByChannel || !(scale instanceof StridedTensor) || !(zero instanceof StridedTensor))
    return new UnreadTensor(`is quantized by ${kind}: save it with .dequantize()`);
  const channels = elements.shape[axis as number];
  if (channels === undefined || ![scale, zero].every(({ shape }) => countOf(shape) === channels))
    throw new WeightsError(file, "pickle", `expected a scale and a zero point for each place of axis ${String(axis)}`);
  const inner = countOf(elements.shape.slice((axis as number) + 1));
  const compose = ([values, scales, zeros]: readonly NamedTensor[]): Uint8Array<ArrayBuffer> => {
    const [factors, offsets] = [Float32Array.from(scales!.read()), zeros!.read()];
    const floats = Float32Array.from(values!.read(), (value, index) => {
      const channel = Math.floor(index / inner) % channels;
      return Math.fround(value - offsets[channel]!) * factors[channel]!;
    });
    return bytesIn(floats);
  };
  return { ...common, parts: [elements, scale, zero], compose };
}

const packed = /(^|\.)_packed_params\._packed_params$/;

/**
 * The tensors of a quantized network under the names of the plain one: a dense layer's weight and bias, which PyTorch
 * packs, by their own names, and without the scales of the activations. Other states come back as they are.
 */
export function plainNames(found: readonly FoundTensor[]): { found: readonly FoundTensor[]; note?: string } {
  if (!found.some(({ value }) => isComposed(value) && value.kind === "quantized")) return { found };
  const names = new Set(found.map(({ path }) => path.join(".")));
  const isOfActivation = ({ path, value }: FoundTensor): boolean => {
    const [, start, part] = /^(.*?\.?)(scale|zero_point)$/.exec(path.join(".")) ?? [];
    const other = part === "scale" ? "zero_point" : "scale";
    const isOne = value instanceof StridedTensor && countOf(value.shape) === 1;
    return start !== undefined && isOne && names.has(`${start}${other}`);
  };
  const kept = found.filter((tensor) => !isOfActivation(tensor));
  const renamed = kept.map(({ path, value }): FoundTensor => {
    const [last, index] = [path.at(-2) ?? "", path.at(-1)];
    if (!packed.test(last) || (index !== "0" && index !== "1")) return { path, value };
    return { path: [...path.slice(0, -2), last.replace(packed, `$1${index === "0" ? "weight" : "bias"}`)], value };
  });
  const note =
    "dequantizes its weights to floats: the network computes in floats, which PyTorch's quantized one rounds";
  return { found: renamed, note };
}
