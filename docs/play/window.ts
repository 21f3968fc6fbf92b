import type { DrawWindowOptions } from "../../packages/inspect/src/window/read-window.ts";
import { outputSize } from "./arithmetic.ts";

/** What the controls of a window say. */
export interface WindowSettings {
  readonly input: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly operation: "convolution" | "max" | "average";
}

/** The window with numbers: an image with an edge in its middle, and a kernel that finds such edges. */
export function windowOptions(settings: WindowSettings): DrawWindowOptions {
  const { input, kernel, stride, padding, dilation, operation } = settings;
  const edge = Math.ceil(input / 2);
  return {
    input: grid(input, (row, column) => (column < edge ? 1 + (row % 3) : 6 + (row % 2))),
    kernel: grid(kernel, (_, column) => (kernel === 1 ? 2 : Math.sign(2 * column - kernel + 1))),
    stride,
    padding,
    dilation,
    operation,
  };
}

/** The size of the output with its formula, and what is never seen. Throws an `OptionError` where the window does not fit. */
export function sizeText({ input, kernel, stride, padding, dilation }: WindowSettings): string {
  const { size, warning } = outputSize(input, { kernel, stride, padding, dilation });
  const extent = (kernel - 1) * dilation + 1;
  const wide = dilation > 1 ? `, where F = (${kernel} - 1) * ${dilation} + 1 = ${extent}` : "";
  const lost =
    warning === undefined ? "" : `. ${input + 2 * padding - extent} / ${stride} is not whole, so it is rounded down`;
  return `(H + 2P - F) / S + 1 = (${input} + 2 * ${padding} - ${extent}) / ${stride} + 1 = ${size[0]}${wide}${lost}.`;
}

function grid(side: number, value: (row: number, column: number) => number): number[][] {
  return Array.from({ length: side }, (_, row) => Array.from({ length: side }, (__, column) => value(row, column)));
}
