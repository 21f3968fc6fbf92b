import type { Result, Row } from "../src/results/result.ts";
import { withRatios } from "../src/results/result.ts";

/** A row with numbers close around its median. */
export function row(name: string, system: Row["system"], median: number | null, fields: Partial<Row> = {}): Row {
  return {
    case: name,
    system,
    status: median === null ? "failed" : "ok",
    variant: median === null ? null : "default",
    median,
    p10: median === null ? null : median * 0.98,
    p90: median === null ? null : median * 1.02,
    unit: "ms",
    ratioToFastestPeer: null,
    samples: 6,
    otherLoad: 0,
    peakMB: median === null ? null : 250,
    variants: [],
    note: "",
    ...fields,
  };
}

/** A complete result of all cases on a made-up machine. */
export function result(rows: readonly Row[], fields: Partial<Result> = {}): Result {
  return {
    date: "2026-11-21T23:05:00.000Z",
    commit: "0123456789",
    scope: "full",
    complete: true,
    threads: 2,
    rounds: 3,
    machine: { cpu: "Some CPU", cores: 2, features: ["avx2", "amx_bf16"], memoryGiB: 24, os: "Linux 6.1 x64" },
    versions: { tfjs: "4.22.0", keras: "3.15.1" },
    rows: withRatios(rows),
    ...fields,
  };
}
