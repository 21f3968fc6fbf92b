import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import {
  add,
  batchNorm,
  conv,
  depthwiseConv,
  glorotUniform,
  identity,
  named,
  relu6,
  sizeOf,
  zeroPad,
  ofKind,
} from "@convkit/core";
import type { BatchNormOptions, Block, Init, Padding, UnnamedBlock } from "@convkit/core";
import { checkFunctions, checkWhole } from "@convkit/core/internal";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

export type InvertedPart =
  | "expand"
  | "expandNorm"
  | "expandRelu"
  | "pad"
  | "depthwise"
  | "depthwiseNorm"
  | "depthwiseRelu"
  | "excite"
  | "project"
  | "projectNorm"
  | "drop"
  | "add";

export interface InvertedOptions {
  /** Stride of the depthwise convolution; 1 by default. */
  readonly stride?: number | undefined;
  /** Factor for the inner channels, which must be a whole number; 1 means no expansion. */
  readonly expansion: number;
  /** Height and width of the depthwise kernel; 3 by default. */
  readonly kernel?: number | undefined;
  /**
   * Padding of the depthwise convolution. `"keras"` is "same", but at stride 2 a separate layer pads if the map's size
   * is known; the numbers are equal.
   */
  readonly padding: Padding | "keras";
  /** Options of every norm; Keras' defaults if missing. */
  readonly norm?: BatchNormOptions | undefined;
  /** Initial weights of the convolutions; `glorotUniform` by default. */
  readonly init?: Init | undefined;
  /** Makes the activation after the expansion and the depthwise convolution; `relu6` by default. */
  readonly activation?: (() => Block) | undefined;
  /** A block between the depthwise and the last convolution, for example squeeze-and-excitation; none by default. */
  readonly excite?: Block | undefined;
  /** A block before the sum, for example stochastic depth; none by default. */
  readonly drop?: Block | undefined;
  /** Names the parts; `<path>.<part>` by default. */
  readonly naming?: Naming<InvertedPart> | undefined;
}

const names: OptionNames<InvertedOptions> = {
  stride: true,
  expansion: true,
  kernel: true,
  padding: true,
  norm: true,
  init: true,
  activation: true,
  excite: true,
  drop: true,
  naming: true,
};

/**
 * A 1x1 convolution to more channels, a depthwise convolution, a linear 1x1 convolution to fewer; a shortcut where the shapes
 * agree: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. Sandler et al. 2018, https://arxiv.org/abs/1801.04381
 */
export function invertedResidual(filters: number, options: InvertedOptions): UnnamedBlock {
  checkOptions("invertedResidual", options, names);
  const { stride = 1, kernel = 3, expansion, padding, norm = {}, init = glorotUniform } = options ?? {};
  const { activation = relu6, excite, drop, naming = dotted } = options ?? {};
  checkWhole("invertedResidual", "filters", filters, 1);
  checkWhole("invertedResidual", "kernel", kernel, 1);
  checkWhole("invertedResidual", "stride", stride, 1);
  checkFunctions("invertedResidual", { activation, excite, drop, naming });
  if (typeof expansion !== "number" || !(expansion > 0)) {
    throw new OptionError(`invertedResidual: expected expansion to be a number above 0, got ${shown(expansion)}.`);
  }
  return ofKind("inverted_residual", (x, name) => {
    const [height, width, channels] = sizeOf(x) as [number | null, number | null, number];
    const byHand = padding === "keras" && stride === 2 && height !== null && width !== null;
    const pad: Row[] = byHand ? [["pad", zeroPad(halfSidedPads(height, width, kernel))]] : [];
    const around = padding === "keras" ? (byHand ? "valid" : "same") : padding;
    const linear = { bias: false, init, padding: "same" } as const;
    const expand: Row[] = [
      ["expand", conv(whole(expansion * channels), 1, linear)],
      ["expandNorm", batchNorm(norm)],
      ["expandRelu", activation()],
    ];
    const rows: Row[] = [
      ...(expansion === 1 ? [] : expand),
      ...pad,
      ["depthwise", depthwiseConv(kernel, { stride, bias: false, init, padding: around })],
      ["depthwiseNorm", batchNorm(norm)],
      ["depthwiseRelu", activation()],
      ...(excite === undefined ? [] : ([["excite", excite]] as Row[])),
      ["project", conv(filters, 1, linear)],
      ["projectNorm", batchNorm(norm)],
    ];
    if (stride !== 1 || channels !== filters) return steps(naming, rows)(x, name);
    const main = steps(naming, drop === undefined ? rows : [...rows, ["drop", drop]]);
    return named(naming(name, "add"), add({ main: () => main(x, name), shortcut: identity }))(x, name);
  });
}

/** The whole number where a factor such as 88 / 24 missed it by rounding alone. */
function whole(size: number): number {
  return Math.abs(size - Math.round(size)) < 1e-6 ? Math.round(size) : size;
}

type Row = [part: InvertedPart, block: Block];

/** TensorFlow's "same" padding at stride 2, as in Keras' networks: one pixel less before an even size. */
export function halfSidedPads(
  height: number,
  width: number,
  kernel: number,
): readonly [readonly [number, number], readonly [number, number]] {
  const half = Math.floor(kernel / 2);
  const pads = (size: number): readonly [number, number] => [half - (1 - (size % 2)), half];
  return [pads(height), pads(width)];
}
