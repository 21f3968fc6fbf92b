import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import type { HealthRecord } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { percent, table } from "../terminal/format.ts";
import { text, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  out: text("<file>", "writes a page, or as .svg or .png the gradients by depth in the first measured step"),
};

/** `convkit health`: gradients, updates, activations and dead units of runs that were trained with `--health`. */
export async function run(
  context: Context,
  { out }: ValuesOf<typeof options>,
  paths: readonly string[],
): Promise<void> {
  const format = out === undefined ? undefined : extname(out).slice(1).toLowerCase();
  if (format !== undefined && !["html", "htm", "svg", "png"].includes(format))
    throw new UsageError(`Expected --out to end in .html, .svg or .png, got ${out}.`);
  const { readHealth, runDirectory, updateRatio } = await import("@convkit/trainer");
  const missing = paths.filter((path) => !existsSync(runDirectory(userPath(path)).health));
  if (missing.length > 0)
    throw new UsageError(
      `${missing.join(", ")} ${missing.length === 1 ? "has" : "have"} no health.json: give run directories of convkit train --health.`,
    );
  const runs = await Promise.all(
    paths.map(async (path) => {
      const { health, path: folder } = runDirectory(userPath(path));
      return { name: basename(folder), run: folder, records: await readHealth(health) };
    }),
  );
  const empty = runs.find(({ records }) => records.length === 0);
  if (empty !== undefined) throw new UsageError(`${empty.run} has no measured step yet.`);
  if (out !== undefined) {
    const { writeFileAtomic } = await import("@convkit/files");
    const { writeHealthReport } = await import("@convkit/report");
    const { chartFile, gradientChart } = await import("@convkit/report/internal");
    if (format === "svg") await writeFileAtomic(userPath(out), chartFile(gradientChart(runs)));
    else if (format === "png") {
      const { pngOf } = await import("../outputs/svg-png.ts");
      await writeFileAtomic(userPath(out), await pngOf(gradientChart(runs)));
    } else await writeHealthReport(userPath(out), runs);
  }
  const document = runs.map(({ records, ...rest }) => ({
    ...rest,
    records: records.map((record) => ({
      ...record,
      weights: record.weights.map((weight) => ({ ...weight, updateRatio: updateRatio(weight) })),
    })),
  }));
  const texts = runs.map(({ name, records }) => healthText(name, records, updateRatio));
  context.out.result(document, [...texts, ...(out === undefined ? [] : [`Written: ${out}`])].join("\n\n"));
}

function healthText(
  name: string,
  records: readonly HealthRecord[],
  ratioOf: (weight: HealthRecord["weights"][number]) => number,
): string {
  const [first, last] = [records[0]!, records.at(-1)!];
  const before = new Map(first.weights.map((weight) => [weight.name, weight]));
  const weights = last.weights.map((weight) => [
    weight.name,
    brief(before.get(weight.name)?.gradientNorm),
    brief(weight.gradientNorm),
    brief(weight.weightNorm),
    brief(ratioOf(weight)),
  ]);
  const activations = last.activations.map(({ layer, mean, deviation, norm, dead }) => [
    layer,
    brief(mean),
    brief(deviation),
    brief(norm),
    dead === null ? "" : percent(dead),
  ]);
  return [
    `${name}: ${records.length} measured ${records.length === 1 ? "step" : "steps"}, ${first.step} to ${last.step}`,
    table(["weight", `gradient, step ${first.step}`, `step ${last.step}`, "weight", "update / weight"], weights),
    table(["activation", "mean", "deviation", "norm", "dead"], activations),
  ].join("\n\n");
}

function brief(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}
