import { network, summarize, withoutDrawing } from "@convkit/core";
import type { Block, ModelSummary } from "@convkit/core";
import { grouped, table } from "../../terminal/format.ts";

/** Parameters and multiply-adds of one way to compute something. */
export interface Cost {
  readonly name: string;
  readonly output: readonly number[];
  readonly params: number;
  readonly macs: number;
  readonly layers: ModelSummary["layers"];
}

/** Counts a block on a map of this size. An engine must be in use. */
export function costOf(name: string, input: readonly [number, number, number], block: Block): Cost {
  const model = withoutDrawing(() => network(input, block, { name: "explained" }));
  const { params, macs, layers } = summarize(model);
  const output =
    layers
      .at(-1)
      ?.outputShape.slice(1)
      .map((size) => size ?? 0) ?? [];
  model.dispose();
  return { name, output, params: params.total, macs: macs ?? 0, layers };
}

/** A row for each cost, and how the others compare with the first. */
export function costTable(costs: readonly Cost[]): string {
  const first = costs[0] as Cost;
  const rows = costs.map(({ name, output, params, macs }) => [
    name,
    output.join("x"),
    grouped(params),
    grouped(macs),
    `${(macs / first.macs).toFixed(2)}`,
  ]);
  return table(["", "output", "parameters", "multiply-adds", "of the first"], rows, { left: 2 });
}

/** The numbers of costs for `--json`. */
export function costNumbers(costs: readonly Cost[]): Omit<Cost, "layers">[] {
  return costs.map(({ name, output, params, macs }) => ({ name, output, params, macs }));
}

/** Draws costs as bars into a file, where one is given, with the text of the command. */
export async function drawCosts(
  file: string | undefined,
  title: string,
  costs: readonly Cost[],
  text: string,
): Promise<void> {
  if (file === undefined) return;
  const { barPicture } = await import("../../outputs/bar-picture.ts");
  const { writePicture } = await import("../../outputs/picture.ts");
  const bars = (of: (cost: Cost) => number) =>
    costs.map((cost) => ({ name: cost.name, value: of(cost), text: grouped(of(cost)) }));
  const groups = [
    { title: "parameters", bars: bars(({ params }) => params) },
    { title: "multiply-adds", bars: bars(({ macs }) => macs) },
  ];
  await writePicture(file, barPicture(title, groups), text, title);
}

/** Draws a block on a map of this size into a file, where one is given, with the text of the command. An engine must be in use. */
export async function drawBlock(
  file: string | undefined,
  input: readonly [number, number, number],
  block: Block,
  { title, text }: { readonly title: string; readonly text: string },
): Promise<void> {
  if (file === undefined) return;
  const { draw } = await import("@convkit/inspect");
  const { writePicture } = await import("../../outputs/picture.ts");
  const model = withoutDrawing(() => network(input, block, { name: "explained" }));
  await writePicture(file, await draw(model, { depth: 9, title }), text, title);
  model.dispose();
}
