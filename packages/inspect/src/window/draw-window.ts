import { readWindow } from "./read-window.ts";
import type { DrawWindowOptions } from "./read-window.ts";
import { windowSvg } from "./window-svg.ts";

/**
 * A window on its way over a map, as an SVG document: input with its padding, the cells under the window, and the output,
 * once for each position. With numbers for input and kernel, the sum of each position is written below. Padding is
 * TensorFlow's.
 *
 * Throws an `OptionError` for a window that does not fit, a map of more than 24 cells a side, and a position outside.
 */
export function drawWindow(options: DrawWindowOptions): string {
  return windowSvg(readWindow("drawWindow", options));
}
