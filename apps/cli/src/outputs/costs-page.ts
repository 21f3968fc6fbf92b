import type { LayerCost, MachinePeaks, ModelCosts, RooflinePoint } from "@convkit/inspect";
import { grid, html, page, section, tableOf, tiles, trusted, type Html } from "@convkit/report/internal";
import type { MeasuredWay } from "../inference/measured-ways.ts";
import { bytes, grouped, short } from "../terminal/format.ts";

/** Everything that `convkit profile` measures. */
export interface CostsReport extends ModelCosts {
  readonly peaks: MachinePeaks;
  readonly roofline: readonly RooflinePoint[];
  readonly ways: readonly MeasuredWay[];
}

/** Why a layer can be faster than its roof. */
export const aboveRoof =
  "A layer above 100 % has its data in the processor's cache, which is faster than the memory that was measured, or is computed with fewer multiply-adds than are counted (Winograd).";

/** The gain of a way in words; a difference under 5 % is told as none. */
export function gainText({ gain }: MeasuredWay): string {
  if (gain >= 1.05) return `${gain.toFixed(2)} times as fast as layer by layer`;
  if (gain <= 0.95) return `slower than layer by layer: ${(1 / gain).toFixed(2)} times its time`;
  return "as fast as layer by layer";
}

const style = trusted(`<style>
.cost { display: block; height: 4px; margin-top: 3px; }
.cost i { display: block; height: 4px; border-radius: 2px; background: var(--accent); }
@media (max-width: 560px) { .tile b { font-size: 18px; } }
header h1, .tile b { overflow-wrap: anywhere; }
</style>`);

/** The costs of a network as one page that loads nothing. */
export function costsPage({ model, layers, total, images, peaks, roofline, ways }: CostsReport): string {
  const largest = (of: (layer: LayerCost) => number | null | undefined): number =>
    layers.reduce((most, layer) => Math.max(most, of(layer) ?? 0), 0) || 1;
  const most = {
    params: largest(({ params }) => params),
    macs: largest(({ macs }) => macs),
    memory: largest(({ activationBytes }) => activationBytes),
    seconds: largest(({ seconds }) => seconds),
  };
  const bar = (part: number, label: string): Html =>
    html`${label}<span class="cost"><i style="width:${(100 * part).toFixed(1)}%"></i></span>`;
  const roofs = new Map(roofline.map((point) => [point.layer, point]));
  const rows = layers
    .filter(({ type }) => type !== "InputLayer")
    .map(({ layer, outputShape, params, macs, activationBytes, seconds = 0 }) => {
      const roof = roofs.get(layer);
      return [
        layer,
        outputShape.slice(1).join(" x "),
        bar(params / most.params, grouped(params)),
        bar((macs ?? 0) / most.macs, macs === null ? "?" : short(macs)),
        bar((activationBytes ?? 0) / most.memory, activationBytes === null ? "?" : bytes(activationBytes)),
        bar(seconds / most.seconds, `${(1000 * seconds).toFixed(2)} ms`),
        roof === undefined ? "" : `${Math.round((100 * roof.macsPerSecond) / roof.roof)} %, ${roof.boundBy}`,
      ];
    });
  const head = tiles([
    [grouped(total.params), "parameters"],
    [total.macs === null ? "?" : short(total.macs), "multiply-adds an image"],
    [total.activationBytes === null ? "?" : bytes(total.activationBytes), "activations an image"],
    [
      `${(1000 * (total.seconds ?? 0)).toFixed(1)} ms`,
      `for ${images} ${images === 1 ? "image" : "images"}, layer by layer`,
    ],
  ]);
  const titles = ["layer", "output", "parameters", "multiply-adds", "activations", "time", "of the roof"];
  const sections = [
    section("Layers", tableOf(titles, rows), {
      wide: true,
      note: `Roof: what the machine's peak or its memory allows at the layer's multiply-adds a byte.${roofline.some((point) => point.macsPerSecond > point.roof) ? ` ${aboveRoof}` : ""}`,
    }),
    section(
      "What compiling gains",
      tableOf(
        ["way", "time", "gain"],
        ways.map((way, i) => [way.name, `${(1000 * way.seconds).toFixed(2)} ms`, i === 0 ? "" : gainText(way)]),
      ),
    ),
    section(
      "This machine",
      tableOf(
        ["peak", "a second"],
        [
          ["multiply-adds, by a matrix product", short(peaks.macsPerSecond)],
          ["memory, by a sum of vectors", bytes(peaks.bytesPerSecond)],
        ],
      ),
    ),
  ];
  return page(`Costs of ${model}`, "Parameters, multiply-adds, memory and time of each layer", [
    style,
    head,
    grid(sections),
  ]);
}
