import type { Case } from "../cases/cases.ts";
import { groupBy } from "../results/group-by.ts";
import type { Row, VariantResult } from "../results/result.ts";
import { medianOf, type Runner } from "./runner.ts";
import { quantile, spread } from "../results/statistics.ts";

/** The rows of a case: each system's fastest variant. */
export function rowsOf({ name, unit }: Case, runners: readonly Runner[]): Row[] {
  const mine = runners.filter(({ readings }) => readings.has(name));
  return [...groupBy(mine, ({ system }) => system).entries()].map(([system, variants]) => {
    const ranked = variants.toSorted((a, b) => (medianOf(a, name) ?? Infinity) - (medianOf(b, name) ?? Infinity));
    const best = ranked[0]!;
    const { samples, peaks, status, note } = best.readings.get(name)!;
    const profile = variants.map(({ readings }) => readings.get(name)!.profile).find(Boolean);
    const loads = variants.flatMap(({ readings }) => readings.get(name)!.loads);
    const numbers = samples.length === 0 ? { median: null, p10: null, p90: null } : spread(samples);
    return {
      case: name,
      system,
      status: samples.length > 0 ? "ok" : status === "ok" ? "not run" : status,
      variant: samples.length === 0 ? null : best.variant,
      ...numbers,
      unit,
      ratioToFastestPeer: null,
      samples: samples.length,
      otherLoad: loads.length === 0 ? null : loads.reduce((sum, share) => sum + share, 0) / loads.length,
      peakMB: peaks.length === 0 ? null : quantile(peaks, 0.5),
      variants: ranked.map((variant) => variantResult(variant, name)),
      note: samples.length > 0 ? variantTrouble(ranked, name) : note,
      ...(profile && { profile }),
    };
  });
}

function variantResult({ variant, readings }: Runner, name: string): VariantResult {
  const { samples, status, note, seconds } = readings.get(name)!;
  return {
    variant,
    status,
    note,
    ...(samples.length > 0 && { ...spread(samples), seconds: Number(seconds.toFixed(1)) }),
  };
}

/** The note of a row about failed variants of its system. */
function variantTrouble(variants: readonly Runner[], name: string): string {
  return variants
    .flatMap(({ variant, readings }) => {
      const { status, note } = readings.get(name)!;
      return status === "ok" ? [] : [`${variant} ${status}: ${note}`];
    })
    .join("; ");
}
