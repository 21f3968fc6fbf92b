import type { Case } from "../cases/cases.ts";
import { Driver, driverCommand } from "../measure/driver-process.ts";
import { type MeasureOptions, measureCases } from "../measure/measure.ts";
import { networks } from "../cases/networks.ts";
import type { Row } from "../results/result.ts";
import type { SystemName } from "../cases/systems.ts";
import { formatNumber } from "../results/table.ts";
import { UsageError } from "../usage-error.ts";

/** A case's speed as a share of the machine's peak. */
export interface RooflineRow {
  readonly case: string;
  readonly system: SystemName;
  readonly median: number;
  /** Floating-point operations of a step, in 10^9. */
  readonly gflop: number;
  readonly gflops: number;
  /** Share of the matmul peak in the same precision. */
  readonly share: number;
}

/** The variants of convkit, with the precision of the peak that they are compared with. */
const precisions = { convkit: "float32", "convkit-bf16": "bfloat16" } as const;

type Settings = Omit<MeasureOptions, "systems" | "python">;
type Peaks = Readonly<Record<"float32" | "bfloat16", number>>;

/** The `--roofline` option for the chosen training and prediction cases. */
export async function roofline(chosen: readonly Case[], settings: Settings, json = false): Promise<void> {
  const timed = chosen.filter(
    ({ work, reading }) =>
      reading === "times" && work.device === "cpu" && (work.do === "train" || work.do === "predict"),
  );
  if (timed.length === 0)
    throw new UsageError("--roofline is of training and prediction on the CPU, and none was chosen.");
  const names = [...new Set(timed.map(({ work }) => work.network))];
  const { peak: float32, macs } = await machineAndNetworks("float32", names, settings);
  const { peak: bfloat16 } = await machineAndNetworks("bfloat16", [], settings);
  const peaks = { float32, bfloat16 };
  const rows: RooflineRow[] = [];
  const ours = { ...settings, systems: ["convkit", "convkit-bf16"], python: undefined } as const;
  for await (const measured of measureCases(timed, ours))
    rows.push(
      ...measured.rows.flatMap((row) => {
        const { work } = timed.find(({ name }) => name === row.case)!;
        const forward = (2 * macs.get(work.network)! * work.batch) / 1e9;
        return rooflineRow(row, work.do === "train" ? 3 * forward : forward, peaks);
      }),
    );
  if (json) {
    process.stdout.write(`${JSON.stringify({ peaks, rows }, null, 2)}\n`);
    return;
  }
  const lines = rows.map(
    ({ case: name, system, gflop, median, gflops, share }) =>
      `${name}  ${system}  ${formatNumber(gflop)} GFLOP in ${formatNumber(median)} ms: ${formatNumber(gflops)} GFLOP/s, ${Math.round(share * 100)} % of the peak`,
  );
  const title = `Matmul peak: ${formatNumber(float32)} GFLOP/s in float32, ${formatNumber(bfloat16)} in bfloat16.`;
  process.stdout.write(`${[title, ...lines].join("\n")}\n`);
}

/** Measures the machine's matmul peak in GFLOP/s with the engine, and counts the networks' multiply-adds per image. */
async function machineAndNetworks(
  precision: "float32" | "bfloat16",
  names: readonly (keyof typeof networks)[],
  { threads, seconds, samples, signal }: Settings,
): Promise<{ peak: number; macs: ReadonlyMap<string, number> }> {
  const driver = new Driver(driverCommand("convkit", undefined)!, { signal });
  try {
    await driver.ask({ system: "convkit", variant: "compiled", threads, precision, device: "cpu" }, 120);
    const { gflops } = await driver.ask({ do: "matmul", seconds, count: samples }, 300);
    const macs = new Map<string, number>();
    for (const name of names) {
      const network = { name, ...networks[name] };
      macs.set(name, (await driver.ask({ do: "macs", network }, 120)).macs!);
    }
    return { peak: gflops!, macs };
  } finally {
    await driver.close();
  }
}

/** A row's share of its precision's peak; none for a row without a number. */
export function rooflineRow(row: Row, gflop: number, peaks: Peaks): RooflineRow[] {
  if (row.median === null || !(row.system in precisions)) return [];
  const peak = peaks[precisions[row.system as keyof typeof precisions]];
  const gflops = (gflop / row.median) * 1000;
  return [{ case: row.case, system: row.system, median: row.median, gflop, gflops, share: gflops / peak }];
}
