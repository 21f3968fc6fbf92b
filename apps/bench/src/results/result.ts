import type { Case } from "../cases/cases.ts";
import type { Machine } from "./machine.ts";
import type { ProfileSummary } from "../profile/summary.ts";
import type { Spread } from "./statistics.ts";
import { isPeer, type SystemName } from "../cases/systems.ts";

/** The outcome of a system in a case. */
export type Status = "ok" | "not installed" | "cannot" | "differs" | "failed" | "not run";

/** One system in one case: its fastest variant, and the others. */
export interface Row {
  readonly case: string;
  readonly system: SystemName;
  readonly status: Status;
  readonly variant: string | null;
  readonly median: number | null;
  readonly p10: number | null;
  readonly p90: number | null;
  readonly unit: Case["unit"];
  /** The fastest peer's median divided by this row's median: above 1 is faster than every peer. */
  readonly ratioToFastestPeer: number | null;
  readonly samples: number;
  /** Share of the machine that other processes used meanwhile, 0 to 1. */
  readonly otherLoad: number | null;
  /** The process's largest resident set, in 10^6 bytes. */
  readonly peakMB: number | null;
  readonly variants: readonly VariantResult[];
  readonly note: string;
  /** Why the row is slower than the fastest peer, and what was tried. */
  readonly reason?: string | undefined;
  /** Where the time of convkit's compiled step goes. */
  readonly profile?: ProfileSummary | undefined;
}

export interface VariantResult extends Partial<Spread> {
  readonly variant: string;
  readonly status: Status;
  readonly note: string;
  /** Total seconds: process start, set-up, checks and timing. */
  readonly seconds?: number | undefined;
}

/** A run of the benchmark, as its JSON file holds it. */
export interface Result {
  readonly date: string;
  readonly commit: string | null;
  /** All cases, the short list, or picked cases. */
  readonly scope: "full" | "quick" | "selected";
  /** True if the run was not interrupted. */
  readonly complete: boolean;
  readonly threads: number;
  readonly rounds: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

/** Adds to each row its ratio to the fastest peer of its case. */
export function withRatios(rows: readonly Row[]): Row[] {
  return rows.map((row) => {
    const best = fastestPeer(rows, row.case);
    return { ...row, ratioToFastestPeer: best === undefined || row.median === null ? null : best / row.median };
  });
}

/** The lowest median of a case's peers. */
function fastestPeer(rows: readonly Row[], name: string): number | undefined {
  const medians = rows.flatMap((row) =>
    row.case === name && isPeer(row.system) && row.median !== null ? [row.median] : [],
  );
  return medians.length === 0 ? undefined : Math.min(...medians);
}
