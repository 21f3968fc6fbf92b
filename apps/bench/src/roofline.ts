import { macs } from "@convkit/core";
import type { Case } from "./cases.ts";
import { Driver, driverCommand } from "./driver.ts";
import { convkitNetwork } from "./drivers/convkit-networks.ts";
import { type MeasureOptions, measureCases } from "./measure.ts";
import type { Row } from "./result.ts";
import { type SystemName } from "./systems.ts";
import { formatNumber } from "./table.ts";

/** What a case achieves of what the machine can. */
export interface RooflineRow {
  readonly case: string;
  readonly system: SystemName;
  readonly median: number;
  /** Floating-point operations of a step: two a multiply-add, and a backward pass costs twice the forward one. */
  readonly gflop: number;
  readonly gflops: number;
  /** Of the matmul peak in the same precision. */
  readonly share: number;
}

/** Ours, with the precision whose peak counts. */
const precisions = { convkit: "float32", "convkit-bf16": "bfloat16" } as const;

type Settings = Omit<MeasureOptions, "systems" | "python">;

/** The `--roofline` of the chosen training and prediction cases. */
export async function roofline(chosen: readonly Case[], settings: Settings, json = false): Promise<void> {
  const timed = chosen.filter(
    ({ work, reading }) => reading === "times" && work.device === "cpu" && work.do !== "load",
  );
  const peaks = { float32: await peak("float32", settings), bfloat16: await peak("bfloat16", settings) };
  const rows: RooflineRow[] = [];
  for await (const measured of measureCases(timed, {
    ...settings,
    systems: ["convkit", "convkit-bf16"],
    python: undefined,
  }))
    for (const row of measured.rows) {
      const found = rooflineRow(
        row,
        timed.find(({ name }) => name === row.case)!,
        peaks,
      );
      if (found) rows.push(found);
    }
  if (json) {
    process.stdout.write(`${JSON.stringify({ peaks, rows }, null, 2)}\n`);
    return;
  }
  const lines = rows.map(
    ({ case: name, system, gflop, median, gflops, share }) =>
      `${name}  ${system}  ${formatNumber(gflop)} GFLOP in ${formatNumber(median)} ms: ${formatNumber(gflops)} GFLOP/s, ${Math.round(share * 100)} % of the peak`,
  );
  const title = `Matmul peak: ${formatNumber(peaks.float32)} GFLOP/s in float32, ${formatNumber(peaks.bfloat16)} in bfloat16.`;
  process.stdout.write(`${[title, ...lines].join("\n")}\n`);
}

/** GFLOP/s of the largest square matrix product, as the engine does it. */
async function peak(precision: "float32" | "bfloat16", { threads, seconds, samples }: Settings): Promise<number> {
  const driver = new Driver(driverCommand("convkit", undefined)!);
  try {
    await driver.ask({ system: "convkit", variant: "compiled", threads, precision, device: "cpu" }, 120);
    const { gflops } = await driver.ask({ do: "matmul", seconds, count: samples }, 300);
    return gflops!;
  } finally {
    await driver.close();
  }
}

function rooflineRow(row: Row, { work }: Case, peaks: Record<"float32" | "bfloat16", number>): RooflineRow | undefined {
  if (row.median === null || !(row.system in precisions)) return undefined;
  const system = row.system as keyof typeof precisions;
  const passes = work.do === "train" ? 3 : 1;
  const gflop = (2 * passes * macs(convkitNetwork(work.network)) * work.batch) / 1e9;
  const gflops = (gflop / row.median) * 1000;
  return { case: row.case, system, median: row.median, gflop, gflops, share: gflops / peaks[precisions[system]] };
}
