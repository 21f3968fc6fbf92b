import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Context } from "../terminal/context.ts";
import { duration, percent, table } from "../terminal/format.ts";
import { text, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = { out: text("<file.html>", "writes their curves into one chart") };

/** `convkit compare`: shows runs side by side, as a table and as curves in one chart. */
export async function run(
  context: Context,
  { out }: ValuesOf<typeof options>,
  paths: readonly string[],
): Promise<void> {
  const { writeComparison } = await import("@convkit/report");
  const { readHistory, runDirectory } = await import("@convkit/trainer");
  const { readMetrics } = await import("../inputs/run-metrics.ts");
  const missing = paths.filter((path) => !existsSync(runDirectory(userPath(path)).metrics));
  if (missing.length > 0)
    throw new UsageError(
      `${missing.join(", ")} ${missing.length === 1 ? "is no finished run directory" : "are no finished run directories"}: there is no metrics.json.`,
    );
  const runs = await Promise.all(
    paths.map(async (path) => {
      const places = runDirectory(userPath(path));
      const metrics = await readMetrics(places.metrics);
      // A run that ended in its first epoch has no history.
      const history = existsSync(places.history) ? await readHistory(places.history) : [];
      return { name: basename(places.path), path: places.path, history, metrics };
    }),
  );
  const rows = runs.map(({ name, path, history, metrics: { best, test, seconds, imagesPerSecond } }) => {
    const onTest = test?.split === "test" ? test : undefined;
    return {
      name,
      run: path,
      epochs: history.length,
      bestEpoch: best?.epoch ?? null,
      valLoss: best?.valLoss ?? null,
      valAccuracy: best?.valAccuracy ?? null,
      ...(test?.metrics && { metrics: test.metrics }),
      testAccuracy: onTest?.accuracy ?? null,
      testLoss: onTest?.loss ?? null,
      seconds,
      imagesPerSecond,
    };
  });
  if (out !== undefined) await writeComparison(userPath(out), runs);
  const share = (value: number | null) => (value === null ? "" : percent(value));
  const metrics = [...new Set(rows.flatMap(({ metrics: own }) => Object.keys(own ?? {})))].slice(0, 6);
  const cells = rows.map((row) => [
    row.name,
    String(row.epochs),
    String(row.bestEpoch ?? ""),
    row.valLoss?.toFixed(4) ?? "",
    share(row.valAccuracy),
    share(row.testAccuracy),
    duration(row.seconds),
    row.imagesPerSecond === null ? "" : String(Math.round(row.imagesPerSecond)),
    ...metrics.map((name) => String(row.metrics?.[name]?.toPrecision(4) ?? "")),
  ]);
  const titles = [
    "run",
    "epochs",
    "best",
    "validation loss",
    "validation accuracy",
    "test accuracy",
    "time",
    "images/s",
    ...metrics,
  ];
  const drawn = out === undefined ? "" : `\n\nCurves: ${out}`;
  context.out.result(rows, `${table(titles, cells)}${drawn}`);
}
