import { summarize } from "@convkit/core";
import { checkModel } from "@convkit/core/internal";
import {
  checkOptions,
  checkValues,
  oneOf,
  OptionError,
  shown,
  someText,
  trueOrFalse,
  wholeFromZero,
} from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { findBlocks } from "./blocks.ts";
import { isBlock } from "./parts.ts";
import type { Part } from "./parts.ts";
import { grouped, measureOf } from "./box-size.ts";
import { modelBoxes } from "./boxes.ts";
import type { BoxGraph } from "./boxes.ts";
import { checkTheme } from "./colors.ts";
import type { Theme } from "./colors.ts";
import { depthOf, foldBlocks } from "./fold.ts";
import type { FoldedGraph } from "./fold.ts";
import { placeBoxes } from "./layout.ts";
import { mergeFollowers } from "./merge-followers.ts";
import { joinRepeats } from "./repeats.ts";
import { svgOf } from "./svg.ts";

/** How a network is drawn. */
export interface DrawOptions {
  /** How many levels of blocks are open; `0` folds all. The most that stays under 60 boxes by default. */
  readonly depth?: number | undefined;
  /** Names of blocks that are open at any depth. None by default. */
  readonly open?: readonly string[] | undefined;
  /** Names of blocks that are folded at any depth. None by default. */
  readonly fold?: readonly string[] | undefined;
  /** Draws equal blocks in a row once, with their number; `true` by default. */
  readonly repeats?: boolean | undefined;
  /** Where the output lies: `"down"` by default. */
  readonly direction?: "down" | "right" | undefined;
  /** What the width of a box tells; `"equal"` by default: nothing. */
  readonly width?: "equal" | "channels" | "macs" | undefined;
  /** `"auto"`, which follows the reader's setting, by default. */
  readonly theme?: Theme | undefined;
  /** The line above the drawing; the model's name and its parameters by default. */
  readonly title?: string | undefined;
}

const optionNames: OptionNames<DrawOptions> = {
  depth: true,
  open: true,
  fold: true,
  repeats: true,
  direction: true,
  width: true,
  theme: true,
  title: true,
};

const mostBoxes = 60;

/**
 * The picture of a network as an SVG document: boxes for layers, colored by what they do, shapes on the edges, blocks as
 * frames or folded into one box. Norms and activations are lines in the box of the layer before. Graphviz' `dot` places
 * the boxes.
 *
 * Throws an `OptionError` for an option out of its range, and for a name in `open` or `fold` that no block has.
 */
export async function draw(model: tfl.LayersModel, options: DrawOptions = {}): Promise<string> {
  const network = readNetwork(model, options);
  return svgAt(network, options.depth ?? fittingDepth(network, options), options);
}

/** The boxes and blocks of a model, before any is folded. */
export interface DrawnNetwork {
  readonly graph: BoxGraph;
  readonly parts: readonly Part[];
  readonly title: string;
}

/** Checks the options and finds the network's blocks. */
export function readNetwork(model: tfl.LayersModel, options: DrawOptions): DrawnNetwork {
  checkModel("draw", model);
  checkOptions("draw", options, optionNames);
  checkValues("draw", options, {
    direction: oneOf(["down", "right"]),
    width: oneOf(["equal", "channels", "macs"]),
    repeats: trueOrFalse,
    title: someText,
    depth: wholeFromZero,
  });
  checkTheme("draw", options.theme);
  const boxes = mergeFollowers(modelBoxes(model));
  const blocks = findBlocks(boxes);
  const { parts, graph } = options.repeats === false ? { parts: blocks, graph: boxes } : joinRepeats(blocks, boxes);
  const titles = blockTitles(parts);
  for (const name of [...(options.open ?? []), ...(options.fold ?? [])]) {
    if (titles.has(name)) continue;
    const known = [...titles].slice(0, 12).join(", ") || "none";
    throw new OptionError(
      `draw: expected the name of a block of ${model.name}, got ${shown(name)}; there are ${known}.`,
    );
  }
  const params = summarize(model).params.total;
  return { graph, parts, title: options.title ?? `${model.name}, ${grouped(params)} parameters` };
}

/** The drawing with this many levels of blocks open. */
export async function svgAt(network: DrawnNetwork, depth: number, options: DrawOptions): Promise<string> {
  const folded = foldedAt(network, depth, options);
  const by = options.width ?? "equal";
  const most = by === "equal" ? 0 : Math.max(...folded.boxes.map((box) => measureOf(box, by)));
  const layout = await placeBoxes(folded, { direction: options.direction ?? "down", scale: { by, most } });
  return svgOf(layout, { title: network.title, theme: options.theme ?? "auto" });
}

/** The largest depth whose drawing is not too large to read. */
export function fittingDepth(network: DrawnNetwork, options: DrawOptions): number {
  const deepest = depthOf(network.parts);
  const depths = Array.from({ length: deepest }, (_, i) => deepest - i);
  return depths.find((depth) => boxesAt(network, depth, options) <= mostBoxes) ?? 0;
}

/** How many boxes a drawing has. */
export function boxesAt(network: DrawnNetwork, depth: number, options: DrawOptions): number {
  return foldedAt(network, depth, options).boxes.length;
}

function foldedAt({ parts, graph }: DrawnNetwork, depth: number, { open = [], fold = [] }: DrawOptions): FoldedGraph {
  return foldBlocks(parts, graph, { depth, open: new Set(open), fold: new Set(fold) });
}

function blockTitles(parts: readonly Part[]): Set<string> {
  return new Set(parts.flatMap((part) => (isBlock(part) ? [part.title, ...blockTitles(part.parts)] : [])));
}
