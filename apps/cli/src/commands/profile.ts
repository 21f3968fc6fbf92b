import type { LayerCost } from "@convkit/inspect";
import type { Context } from "../terminal/context.ts";
import { bytes, grouped, percent, short, table } from "../terminal/format.ts";
import { text, type ValuesOf, whole } from "../terminal/option.ts";
import { checkHtmlName } from "../outputs/html-name.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  batch: whole(1, "<n>", "images at once (default: 1)"),
  runs: whole(1, "<n>", "timed runs of each layer, of which the median counts (default: 3)"),
  csv: text("<file>", "writes a row for each layer as CSV"),
  out: text("<file.html>", "writes a page with the layers as bars"),
};

/** `convkit profile`: what each layer of a network costs on this machine. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { batch = 1, runs = 3, csv, out, ...modelGiven } = given;
  if (out !== undefined) checkHtmlName(out);
  const { writeFileAtomic } = await import("@convkit/files");
  const { costs, costsCsv, machinePeaks, roofline } = await import("@convkit/inspect");
  const { dispose } = await import("@tensorflow/tfjs-core");
  const { measuredWays } = await import("../inference/measured-ways.ts");
  const { resolveModel } = await import("../inputs/model-source.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { randomBatches } = await import("../inputs/random-batches.ts");
  const { aboveRoof, costsPage, gainText } = await import("../outputs/costs-page.ts");
  await engineInUse(context);
  const { model } = await resolveModel(name, modelGiven, context.options.seed, (note) => context.out.note(note));
  const images = randomBatches(name, model, batch);
  try {
    // Other work on the machine slows peaks and layers down at different moments: the best of two measurements counts.
    const early = await machinePeaks();
    const found = await costs(model, { images, runs });
    const late = await machinePeaks();
    const peaks = {
      macsPerSecond: Math.max(early.macsPerSecond, late.macsPerSecond),
      bytesPerSecond: Math.max(early.bytesPerSecond, late.bytesPerSecond),
    };
    const roof = roofline(found, peaks);
    const ways = await measuredWays(model, images, runs);
    const report = { ...found, peaks, roofline: roof, ways };
    if (csv !== undefined) await writeFileAtomic(userPath(csv), costsCsv(found));
    if (out !== undefined) await writeFileAtomic(userPath(out), costsPage(report));
    const { params, macs, activationBytes, seconds = 0 } = found.total;
    const shareOf = (layer: LayerCost): number => (layer.seconds ?? 0) / (seconds || 1);
    const lines = found.layers
      .filter(({ type }) => type !== "InputLayer")
      .map((layer) => [
        layer.layer,
        layer.type,
        layer.outputShape.slice(1).join("x"),
        grouped(layer.params),
        layer.macs === null ? "?" : short(layer.macs),
        layer.activationBytes === null ? "?" : bytes(layer.activationBytes),
        `${(1000 * (layer.seconds ?? 0)).toFixed(2)} ms`,
        "█".repeat(Math.round(shareOf(layer) * 24)).padEnd(24),
        percentOfRoof(roof.find((point) => point.layer === layer.layer)),
      ]);
    const head = ["layer", "type", "output", "parameters", "MACs", "activations", "time", "", "of the roof"];
    const total = `${grouped(params)} parameters, ${macs === null ? "uncounted" : short(macs)} multiply-adds and ${activationBytes === null ? "uncounted" : bytes(activationBytes)} of activations an image; ${(1000 * seconds).toFixed(1)} ms for ${batch} ${batch === 1 ? "image" : "images"}, layer by layer.`;
    const machine = `This machine: ${short(peaks.macsPerSecond)} multiply-adds and ${bytes(peaks.bytesPerSecond)} a second (${found.backend}).`;
    context.out.result(
      report,
      [
        table(head, lines, { left: 3 }),
        "",
        total,
        machine,
        ...(roof.some((point) => point.macsPerSecond > point.roof) ? [aboveRoof] : []),
        ...ways.map(
          (way, i) => `${way.name}: ${(1000 * way.seconds).toFixed(2)} ms${i === 0 ? "" : `, ${gainText(way)}`}`,
        ),
      ].join("\n"),
    );
  } finally {
    dispose(images);
  }
}

function percentOfRoof(point: { macsPerSecond: number; roof: number; boundBy: string } | undefined): string {
  return point === undefined ? "" : `${percent(point.macsPerSecond / point.roof).trim()} (${point.boundBy})`;
}
