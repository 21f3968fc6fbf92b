import type { Box } from "./boxes.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What the width of a box tells. */
export interface BoxScale {
  readonly by: "equal" | "channels" | "macs";
  /** The largest value among the boxes. */
  readonly most: number;
}

export const lineHeight = 15;
export const padding = 9;

/** The lines of text in a box: what it computes, the layers that follow in the same box, and its name. */
export function boxLines({ kind, text, followers, name, params, frozen }: Box): readonly string[] {
  if (kind === "input" || kind === "output")
    return [/^(input|output)(_layer|_)?\d*(_\d+)?$/.test(name) ? kind : `${kind} ${name}`];
  const lines = kind === "block" ? [text, ...followers] : [text, ...followers, name];
  return params > 0 ? [...lines, paramsText(params, frozen)] : lines;
}

/** `640 parameters`, with those that no training changes. */
export function paramsText(params: number, frozen: number): string {
  const all = `${grouped(params)} parameters`;
  if (frozen === 0) return all;
  return frozen === params ? `${all}, frozen` : `${all}, ${grouped(frozen)} of them frozen`;
}

/** In pixels: as wide as its text asks for, and wider in proportion to the root of its channels or multiply-adds. */
export function boxSize(box: Box, scale: BoxScale): Size {
  const lines = boxLines(box);
  const text = Math.max(...lines.map((line, i) => textWidth(line, i === 0 ? 13 : 11))) + 2 * padding + 6;
  return {
    width: Math.round(Math.max(text, 60, widest * shareOf(box, scale))),
    height: lines.length * lineHeight + 2 * padding - 2,
  };
}

const widest = 420;

function shareOf(box: Box, { by, most }: BoxScale): number {
  return by === "equal" || most === 0 ? 0 : Math.sqrt(measureOf(box, by) / most);
}

/** The number that a box's width tells. */
export function measureOf(box: Box, by: "channels" | "macs"): number {
  return by === "channels" ? (box.outputShape.at(-1) ?? 0) : (box.macs ?? 0);
}

/** About the width of a text in a sans-serif font, in pixels; fonts differ, so rather too wide. */
function textWidth(text: string, size: number): number {
  return text.length * size * 0.6;
}

export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
