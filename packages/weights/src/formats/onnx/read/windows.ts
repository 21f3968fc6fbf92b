import type { Builder } from "./builder.ts";
import type { OnnxNode } from "./node.ts";
import { computed, isKnownSize } from "./sizes.ts";
import type { Size } from "./sizes.ts";

/** The window of a convolution or a pool along each axis of a feature map. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly (readonly [number, number])[];
  readonly isCeil: boolean;
  /** The sizes of the output. */
  readonly out: readonly Size[];
  /** True if `pads` are those of TensorFlow's "same", for every size of the input. */
  readonly isSame: boolean;
}

/** Reads the window of a node over maps of these sizes. */
export function windowOf(builder: Builder, node: OnnxNode, sizes: readonly Size[], kernel: readonly number[]): Window {
  const rank = sizes.length;
  const list = (name: string): number[] => {
    const values = builder.ints(node, name) ?? kernel.map(() => 1);
    if (values.length !== rank || !values.every((value) => Number.isInteger(value) && value >= 1 && value < 2 ** 31))
      return builder.refuse(node, `expected ${rank} whole numbers above 0 as its ${name}, got ${values.join(", ")}`);
    return values;
  };
  if (kernel.length !== rank || !kernel.every((size) => Number.isInteger(size) && size >= 1 && size < 2 ** 31))
    return builder.refuse(node, `expected a kernel of ${rank} axes, got [${kernel.join(", ")}]`);
  const [strides, dilations] = [list("strides"), list("dilations")];
  const isCeil = builder.number(node, "ceil_mode", 0) === 1;
  const reach = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const auto = builder.word(node, "auto_pad", "NOTSET");
  const pads = padsOf(builder, node, { auto, sizes, reach, strides });
  const out = sizes.map((size, axis): Size => {
    if (auto.startsWith("SAME"))
      return isKnownSize(size)
        ? Math.ceil(size / strides[axis]!)
        : strides[axis] === 1
          ? size
          : computed("/", computed("+", size, strides[axis]! - 1), strides[axis]!);
    const [before, after] = pads[axis]!;
    const over = before + after - reach[axis]!;
    if (!isKnownSize(size)) {
      if (strides[axis] === 1) return computed("+", size, over + 1);
      return computed(
        "+",
        computed("/", computed("+", size, over + (isCeil ? strides[axis]! - 1 : 0)), strides[axis]!),
        1,
      );
    }
    const count = (isCeil ? Math.ceil : Math.floor)((size + over) / strides[axis]!) + 1;
    // A window that begins behind the map is left out.
    return isCeil && (count - 1) * strides[axis]! >= size + before ? count - 1 : count;
  });
  const odd = out.findIndex((size) => isKnownSize(size) && size < 1);
  if (odd !== -1)
    return builder.refuse(node, `its window of ${reach[odd]} does not fit into a map of ${String(sizes[odd])}`);
  const isSame = sizes.every((size, axis) => {
    const [before, after] = pads[axis]!;
    if (auto === "SAME_UPPER") return true;
    if (strides[axis] === 1)
      return !isCeil && before + after === reach[axis]! - 1 && after - before >= 0 && after - before <= 1;
    if (!isKnownSize(size)) return before + after === 0 && reach[axis] === 1;
    const total = Math.max(0, (Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + reach[axis]! - size);
    return (
      before === Math.floor(total / 2) && after === total - before && out[axis] === Math.ceil(size / strides[axis]!)
    );
  });
  return { kernel, strides, dilations, pads, isCeil, out, isSame };
}

interface PadInput {
  readonly auto: string;
  readonly sizes: readonly Size[];
  readonly reach: readonly number[];
  readonly strides: readonly number[];
}

function padsOf(builder: Builder, node: OnnxNode, { auto, sizes, reach, strides }: PadInput): [number, number][] {
  if (auto === "VALID") return sizes.map(() => [0, 0]);
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER")
    return sizes.map((size, axis): [number, number] => {
      if (!isKnownSize(size) && strides[axis] !== 1) {
        if (auto === "SAME_UPPER") return [0, 0];
        return builder.refuse(
          node,
          "SAME_LOWER at a stride needs sizes that are known: export the file with fixed sizes",
        );
      }
      const out = isKnownSize(size) ? Math.ceil(size / strides[axis]!) : 0;
      const total = isKnownSize(size)
        ? Math.max(0, (out - 1) * strides[axis]! + reach[axis]! - size)
        : reach[axis]! - 1;
      const small = Math.floor(total / 2);
      return auto === "SAME_UPPER" ? [small, total - small] : [total - small, small];
    });
  const pads = builder.ints(node, "pads") ?? sizes.flatMap(() => [0, 0]);
  if (pads.length !== 2 * sizes.length || !pads.every((pad) => Number.isInteger(pad) && Math.abs(pad) < 2 ** 24))
    return builder.refuse(node, `expected ${2 * sizes.length} whole numbers as its pads, got ${pads.join(", ")}`);
  return sizes.map((_, axis): [number, number] => [pads[axis]!, pads[axis + sizes.length]!]);
}

/** True if the window needs no padding at all. */
export function isValid({ pads }: Pick<Window, "pads">): boolean {
  return pads.every(([before, after]) => before === 0 && after === 0);
}
