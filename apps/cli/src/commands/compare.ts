import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Context } from "../terminal/context.ts";
import { duration, percent, table } from "../terminal/format.ts";
import { text, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

interface Metrics {
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly best?: { readonly epoch: number; readonly valLoss?: number; readonly valAccuracy?: number };
  readonly test?: { readonly top1: number; readonly loss: number };
}

export const options = { out: text("<file.html>", "writes their curves into one chart") };

/** `convkit compare`: runs side by side, as a table and as curves in one chart. */
export async function run(
  context: Context,
  { out }: ValuesOf<typeof options>,
  paths: readonly string[],
): Promise<void> {
  const { writeComparison } = await import("@convkit/report");
  const { readHistory, runDirectory } = await import("@convkit/trainer");
  const missing = paths.filter((path) => !existsSync(runDirectory(userPath(path)).metrics));
  if (missing.length > 0)
    throw new UsageError(
      `${missing.join(", ")} ${missing.length === 1 ? "is no finished run directory" : "are no finished run directories"}: there is no metrics.json.`,
    );
  const runs = await Promise.all(
    paths.map(async (path) => {
      const places = runDirectory(userPath(path));
      const metrics = JSON.parse(await readFile(places.metrics, "utf8")) as Metrics;
      return { name: basename(places.path), path: places.path, history: await readHistory(places.history), metrics };
    }),
  );
  const rows = runs.map(({ name, path, history, metrics }) => ({
    name,
    run: path,
    epochs: history.length,
    bestEpoch: metrics.best?.epoch ?? null,
    valLoss: metrics.best?.valLoss ?? null,
    valAccuracy: metrics.best?.valAccuracy ?? null,
    testAccuracy: metrics.test?.top1 ?? null,
    testLoss: metrics.test?.loss ?? null,
    seconds: metrics.seconds,
    imagesPerSecond: metrics.imagesPerSecond,
  }));
  if (out !== undefined) await writeComparison(userPath(out), runs);
  const share = (value: number | null) => (value === null ? "" : percent(value));
  const cells = rows.map((row) => [
    row.name,
    String(row.epochs),
    String(row.bestEpoch ?? ""),
    row.valLoss?.toFixed(4) ?? "",
    share(row.valAccuracy),
    share(row.testAccuracy),
    duration(row.seconds),
    String(Math.round(row.imagesPerSecond)),
  ]);
  const told = out === undefined ? [] : ["", `Curves: ${out}`];
  context.out.result(
    rows,
    [
      table(["run", "epochs", "best", "val loss", "val accuracy", "test accuracy", "time", "images/s"], cells),
      ...told,
    ].join("\n"),
  );
}
