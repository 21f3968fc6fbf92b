import { add, batchNorm, conv, depthwiseConv, identity, named, relu6, sizeOf, zeroPad } from "@convkit/core";
import type { BatchNormOptions, Block, Init, Padding } from "@convkit/core";
import { glorotUniform } from "@convkit/core";
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
  stride?: number;
  /** How many times the channels grow inside; at 1 nothing is expanded. */
  expansion: number;
  kernel?: number;
  /** Around the depthwise convolution at stride 2: `"keras"` puts a layer with a half-sided pad before it. */
  padding: Padding | "keras";
  norm?: BatchNormOptions;
  init?: Init;
  activation?: () => Block;
  /** Between the depthwise and the last convolution, as squeeze-and-excitation. */
  excite?: Block;
  /** Before the sum, as stochastic depth. */
  drop?: Block;
  naming?: Naming<InvertedPart>;
}

/**
 * Widen with 1x1, look with a depthwise convolution, narrow with a linear 1x1; a shortcut where the shapes agree:
 * `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. Sandler et al. 2018, https://arxiv.org/abs/1801.04381
 */
export function invertedResidual(
  filters: number,
  {
    stride = 1,
    expansion,
    kernel = 3,
    padding,
    norm = {},
    init = glorotUniform,
    activation = relu6,
    excite,
    drop,
    naming = dotted,
  }: InvertedOptions,
): Block {
  return (x, name) => {
    const [height, width, channels] = sizeOf(x) as [number, number, number];
    const padsByHand = padding === "keras" && stride === 2;
    const around = padding === "keras" ? (padsByHand ? "valid" : "same") : padding;
    const options = { bias: false, init, padding: "same" } as const;
    const rows: [InvertedPart, Block][] = [
      ...(expansion === 1
        ? []
        : ([
            ["expand", conv(expansion * channels, 1, options)],
            ["expandNorm", batchNorm(norm)],
            ["expandRelu", activation()],
          ] as [InvertedPart, Block][])),
      ...(padsByHand ? ([["pad", zeroPad(halfSidedPads(height, width, kernel))]] as [InvertedPart, Block][]) : []),
      ["depthwise", depthwiseConv(kernel, { stride, bias: false, init, padding: around })],
      ["depthwiseNorm", batchNorm(norm)],
      ["depthwiseRelu", activation()],
      ...(excite === undefined ? [] : ([["excite", excite]] as [InvertedPart, Block][])),
      ["project", conv(filters, 1, options)],
      ["projectNorm", batchNorm(norm)],
    ];
    const main = steps(naming, rows);
    if (stride !== 1 || channels !== filters) return main(x, name);
    const dropped = drop === undefined ? main : steps(naming, [...rows, ["drop", drop]]);
    return named(naming(name, "add"), add({ main: () => dropped(x, name), shortcut: identity }))(x, name);
  };
}

/** What TensorFlow's "same" would pad at stride 2, as Keras' networks write it down: one less at the top of an even size. */
export function halfSidedPads(
  height: number,
  width: number,
  kernel: number,
): readonly [readonly [number, number], readonly [number, number]] {
  const half = Math.floor(kernel / 2);
  const pads = (size: number): readonly [number, number] => [half - (1 - (size % 2)), half];
  return [pads(height), pads(width)];
}
