import type { Result, Row } from "./result.ts";

/** How one row moved from one result to another. */
export interface Change {
  readonly case: string;
  readonly system: string;
  /** After over before: of the medians on the same machine, else of how far behind the fastest peer. Below 1 is better. */
  readonly factor: number;
  readonly verdict: "faster" | "slower" | "same";
}

/** Less than this is not a change, however small the spread. */
const leastChange = 0.05;

/**
 * What changed between two results beyond noise: the medians differ by more than 5 %, and the ranges from p10 to p90 do not
 * meet. Results of two machines are compared by their ratios to the fastest peer, since times do not carry over.
 */
export function compareResults(before: Result, after: Result): { by: "time" | "ratio"; changes: Change[] } {
  const by = sameMachine(before, after) ? "time" : "ratio";
  const changes = after.rows.flatMap((row) => {
    const old = before.rows.find((other) => other.case === row.case && other.system === row.system);
    const change = old && (by === "time" ? inTime(old, row) : inRatio(old, row));
    return change === undefined ? [] : [{ case: row.case, system: row.system, ...change }];
  });
  return { by, changes };
}

function sameMachine({ machine: a, threads: s }: Result, { machine: b, threads: t }: Result): boolean {
  return a.cpu === b.cpu && a.cores === b.cores && a.gpu?.name === b.gpu?.name && s === t;
}

function inTime(before: Row, after: Row): Pick<Change, "factor" | "verdict"> | undefined {
  if (before.median === null || after.median === null) return undefined;
  return verdict(after.median / before.median, before.p90! < after.p10! || after.p90! < before.p10!);
}

function inRatio(before: Row, after: Row): Pick<Change, "factor" | "verdict"> | undefined {
  if (before.ratioToFastestPeer === null || after.ratioToFastestPeer === null) return undefined;
  const noise = (row: Row) => row.p90! / row.p10! - 1;
  const factor = before.ratioToFastestPeer / after.ratioToFastestPeer;
  return verdict(factor, Math.abs(factor - 1) > noise(before) + noise(after));
}

function verdict(factor: number, beyondNoise: boolean): Pick<Change, "factor" | "verdict"> {
  if (!beyondNoise || Math.abs(factor - 1) <= leastChange) return { factor, verdict: "same" };
  return { factor, verdict: factor < 1 ? "faster" : "slower" };
}

/** The changes as text, those beyond noise first. */
export function formatChanges({ by, changes }: ReturnType<typeof compareResults>): string {
  const moved = changes.filter(({ verdict }) => verdict !== "same");
  const lines = moved.map(
    ({ case: name, system, factor, verdict }) =>
      `${verdict.padEnd(6)}  ${name}  ${system}  ${factor < 1 ? "−" : "+"}${Math.abs((factor - 1) * 100).toFixed(0)} %`,
  );
  const basis = by === "time" ? "times" : "ratios to the fastest peer, since the machines differ";
  return [...lines, `${moved.length} of ${changes.length} rows changed beyond noise (compared by ${basis}).`].join(
    "\n",
  );
}
