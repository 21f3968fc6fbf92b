import type { GraphNode } from "@convkit/core";
import { OptionError, checkOptions } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { inOrder, usesOf } from "../model/layer-uses.ts";

/** How one layer of two models compares on the same input. */
export interface ParityRow {
  /** The layer's name in the first model, and in the second. */
  readonly layer: string;
  readonly other: string;
  readonly type: string;
  readonly shape: readonly (number | null)[];
  /** The largest and the mean difference of two elements. */
  readonly worst: number;
  readonly mean: number;
  /** The largest magnitude of the first model's elements. */
  readonly magnitude: number;
  readonly same: boolean;
}

export interface ParityReport {
  readonly rows: readonly ParityRow[];
  /** The first layer that differs by more than the tolerance; undefined if all layers agree. */
  readonly first: string | undefined;
  /** The largest difference of the outputs. */
  readonly worst: number;
  /** Layers without a counterpart of the same shape in the other model. */
  readonly unmatched: readonly string[];
}

export interface ParityOptions {
  /**
   * Largest accepted difference, relative to the layer's largest magnitude (or to 1 if that is larger); 1e-4 by
   * default.
   */
  readonly tolerance?: number | undefined;
}

/**
 * Runs two models on one input and compares them layer by layer, to show where they begin to differ. Layers match by
 * name; the remaining layers match by shape, in order. Throws if the shapes of the models' inputs or outputs differ.
 */
export function parity(
  a: tfl.LayersModel,
  b: tfl.LayersModel,
  input: tf.Tensor,
  options: ParityOptions = {},
): ParityReport {
  checkOptions("parity", options, { tolerance: true });
  const { tolerance = 1e-4 } = options;
  const shapes = [a, b].map((model) => model.outputs.map(({ shape }) => `[${shape.slice(1)}]`).join(", "));
  if (shapes[0] !== shapes[1])
    throw new OptionError(
      `parity: expected outputs of one shape, got ${shapes[0]} from "${a.name}" and ${shapes[1]} from "${b.name}".`,
    );
  const [own, others] = [layersOf(a), layersOf(b)];
  const pairs = matched(own, others);
  const [valuesA, valuesB] = [
    outputsOf(
      a,
      pairs.map(([node]) => node),
      input,
    ),
    outputsOf(
      b,
      pairs.map(([, node]) => node),
      input,
    ),
  ];
  try {
    const rows = pairs.map(([node, other], index): ParityRow => {
      const difference = compare(valuesA[index]!, valuesB[index]!);
      return {
        layer: node.layer.name,
        other: other.layer.name,
        type: node.layer.getClassName(),
        shape: node.outputs[0]!.shape,
        ...difference,
        same: difference.worst <= tolerance * Math.max(1, difference.magnitude),
      };
    });
    const matchedNames = [new Set(pairs.map(([node]) => node)), new Set(pairs.map(([, node]) => node))] as const;
    const unmatched = [
      ...own.filter((node) => !matchedNames[0].has(node)).map(({ layer }) => `${layer.name} (only in the first)`),
      ...others.filter((node) => !matchedNames[1].has(node)).map(({ layer }) => `${layer.name} (only in the second)`),
    ];
    return { rows, first: rows.find(({ same }) => !same)?.layer, worst: rows.at(-1)?.worst ?? NaN, unmatched };
  } finally {
    tf.dispose([valuesA, valuesB]);
  }
}

/** The report as a table for people: the layers that differ are marked. */
export function parityText({ rows, first, worst, unmatched }: ParityReport): string {
  const cells = rows.map(({ layer, other, type, shape, worst: difference, mean, same }) => [
    same ? " " : "!",
    layer === other ? layer : `${layer} = ${other}`,
    type,
    shape.slice(1).join("x"),
    difference.toExponential(1),
    mean.toExponential(1),
  ]);
  const head = ["", "layer", "type", "shape", "worst", "mean"];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]!.length)));
  const lines = [head, ...cells].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  const verdict =
    first === undefined
      ? `all layers agree; outputs differ by at most ${worst.toExponential(1)}`
      : `the first layer that differs: ${first}`;
  return [
    ...lines,
    ...(unmatched.length === 0 ? [] : [`without a counterpart: ${unmatched.join(", ")}`]),
    verdict,
    "",
  ].join("\n");
}

/** The first use of each layer, without input layers. */
function layersOf(model: tfl.LayersModel): GraphNode[] {
  const seen = new Set<string>();
  return inOrder(usesOf(model)).filter(({ layer }) => {
    const isNew = layer.getClassName() !== "InputLayer" && !seen.has(layer.name);
    seen.add(layer.name);
    return isNew;
  });
}

function matched(own: readonly GraphNode[], others: readonly GraphNode[]): (readonly [GraphNode, GraphNode])[] {
  const byName = new Map(others.map((node) => [node.layer.name, node]));
  const sameShape = (a: GraphNode, b: GraphNode): boolean =>
    String(a.outputs[0]!.shape.slice(1)) === String(b.outputs[0]!.shape.slice(1));
  const named = own.map((node) => {
    const other = byName.get(node.layer.name);
    return other !== undefined && sameShape(node, other) ? other : undefined;
  });
  const taken = new Set(named);
  let next = 0;
  return own.flatMap((node, index) => {
    const other = named[index];
    if (other !== undefined) {
      next = Math.max(next, others.indexOf(other) + 1);
      return [[node, other] as const];
    }
    const found = others.findIndex((candidate, place) => {
      const fits = candidate.layer.getClassName() === node.layer.getClassName() && sameShape(node, candidate);
      return place >= next && fits && !taken.has(candidate);
    });
    if (found === -1) return [];
    next = found + 1;
    return [[node, others[found]!] as const];
  });
}

function outputsOf(model: tfl.LayersModel, nodes: readonly GraphNode[], input: tf.Tensor): tf.Tensor[] {
  const outputs = nodes.map((node) => node.outputs[0]!);
  const probe = tfl.model({ inputs: model.inputs, outputs, name: `${model.name}_probe` });
  const values = probe.predict(input) as tf.Tensor | tf.Tensor[];
  return Array.isArray(values) ? values : [values];
}

function compare(a: tf.Tensor, b: tf.Tensor): { worst: number; mean: number; magnitude: number } {
  return tf.tidy(() => {
    const difference = tf.abs(tf.sub(a, b));
    const [worst, mean, magnitude] = [tf.max(difference), tf.mean(difference), tf.max(tf.abs(a))].map(
      (value) => value.dataSync()[0]!,
    );
    return { worst: worst!, mean: mean!, magnitude: magnitude! };
  });
}
