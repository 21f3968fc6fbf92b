import type { Graph, Viz } from "@viz-js/viz";
import { boxSize } from "./box-size.ts";
import type { BoxScale, Size } from "./box-size.ts";
import { isBlock } from "./parts.ts";
import type { Block, Part } from "./parts.ts";
import { titleOf } from "./fold.ts";
import type { FoldedGraph } from "./fold.ts";
import type { Box, Edge } from "./boxes.ts";

/** In pixels from the upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point, Size {}

export interface Layout extends Size {
  readonly boxes: readonly { readonly box: Box; readonly place: Rectangle }[];
  readonly blocks: readonly { readonly block: Block; readonly depth: number; readonly place: Rectangle }[];
  /** Curves: a start, and then two control points and an end for each piece. The label's place is its middle. */
  readonly edges: readonly {
    readonly edge: Edge;
    readonly curve: readonly Point[];
    readonly label: Point | undefined;
  }[];
}

export interface LayoutOptions {
  readonly direction: "down" | "right";
  readonly scale: BoxScale;
}

interface Output {
  readonly bb: string;
  readonly objects?: readonly {
    readonly _gvid: number;
    readonly name: string;
    readonly pos?: string;
    readonly bb?: string;
  }[];
  readonly edges?: readonly { readonly id?: string; readonly pos: string; readonly lp?: string }[];
}

/** Points an inch, Graphviz' unit. Sizes of boxes are given in inches, places come in points; a point is a pixel here. */
const inch = 72;

/** Places boxes in layers, by Graphviz' `dot`. */
export async function placeBoxes(graph: FoldedGraph, { direction, scale }: LayoutOptions): Promise<Layout> {
  const blocks = new Map<string, { block: Block; depth: number }>();
  const subgraph = (level: readonly Part[], depth: number): Pick<Graph, "nodes" | "subgraphs"> => ({
    nodes: level.flatMap((part) => (isBlock(part) ? [] : [nodeOf(part, scale)])),
    subgraphs: level.filter(isBlock).map((block) => {
      const name = `cluster_${blocks.size}`;
      blocks.set(name, { block, depth });
      return {
        name,
        graphAttributes: {
          label: titleOf(block),
          fontsize: 14,
          fontname: "Helvetica-Bold",
          labeljust: "l",
          margin: 16,
        },
        ...subgraph(block.parts, depth + 1),
      };
    }),
  });
  const labeled = firstOfEachTensor(graph.edges);
  const viz = await graphviz();
  const output = viz.renderJSON({
    directed: true,
    graphAttributes: {
      rankdir: direction === "down" ? "TB" : "LR",
      nodesep: 0.3,
      ranksep: 0.35,
      pad: 0.15,
    },
    nodeAttributes: { shape: "box", fixedsize: true, label: "" },
    edgeAttributes: { arrowsize: 0.6, fontsize: 11, fontname: "Helvetica" },
    ...subgraph(graph.parts, 0),
    edges: graph.edges.map((edge, i) => ({
      tail: String(edge.from),
      head: String(edge.to),
      attributes: { id: String(i), ...(labeled.has(edge) ? { label: ` ${edge.shape} ` } : {}) },
    })),
  } as Graph) as Output;
  const [, , width = 0, height = 0] = output.bb.split(",").map(Number);
  const boxes = new Map(graph.boxes.map((box) => [String(box.id), box]));
  const objects = output.objects ?? [];
  return {
    width,
    height,
    boxes: objects.flatMap(({ name, pos }) => {
      const box = boxes.get(name);
      if (box === undefined || pos === undefined) return [];
      const size = boxSize(box, scale);
      const center = pointOf(pos, height);
      return [{ box, place: { ...size, x: center.x - size.width / 2, y: center.y - size.height / 2 } }];
    }),
    blocks: objects.flatMap(({ name, bb }) => {
      const found = blocks.get(name);
      if (found === undefined || bb === undefined) return [];
      const [left = 0, bottom = 0, right = 0, top = 0] = bb.split(",").map(Number);
      return [{ ...found, place: { x: left, y: height - top, width: right - left, height: top - bottom } }];
    }),
    edges: (output.edges ?? []).map(({ id, pos, lp }) => ({
      edge: graph.edges[Number(id)] as Edge,
      curve: curveOf(pos, height),
      label: lp === undefined ? undefined : pointOf(lp, height),
    })),
  };
}

let graphvizOnce: Promise<Viz> | undefined;

/** Graphviz compiled to WebAssembly, 1 MB, loaded for the first drawing. */
async function graphviz(): Promise<Viz> {
  graphvizOnce ??= import("@viz-js/viz").then(({ instance }) => instance());
  return graphvizOnce;
}

/** A tensor that several layers read has its shape written once. */
function firstOfEachTensor(edges: readonly Edge[]): Set<Edge> {
  const first = new Map<string, Edge>();
  for (const edge of edges) if (!first.has(edge.tensor)) first.set(edge.tensor, edge);
  return new Set(first.values());
}

function nodeOf(box: Box, scale: BoxScale): { name: string; attributes: Record<string, number> } {
  const { width, height } = boxSize(box, scale);
  return { name: String(box.id), attributes: { width: width / inch, height: height / inch } };
}

function pointOf(text: string, height: number): Point {
  const [x = 0, y = 0] = text.split(",").map(Number);
  return { x, y: height - y };
}

/** Graphviz writes `e,` and the arrow's tip, and then the points of the curve. The tip is the curve's last point here. */
function curveOf(pos: string, height: number): Point[] {
  const points = pos.split(" ").filter((each) => !/^[es],/.test(each));
  const tip = pos.split(" ").find((each) => each.startsWith("e,"));
  const curve = points.map((each) => pointOf(each, height));
  return tip === undefined ? curve : [...curve, pointOf(tip.slice(2), height)];
}
