import type { Result, Row } from "./result.ts";

/** The change of one row between two results. */
export interface Change {
  readonly case: string;
  readonly system: string;
  /**
   * The value after divided by the value before; below 1 is better. Values are medians on one machine, else ratios to
   * the peers.
   */
  readonly factor: number;
  readonly verdict: "faster" | "slower" | "same";
}

/** A row with a number in one result only. */
export interface Unmatched {
  readonly case: string;
  readonly system: string;
  /** The result that has the number. */
  readonly only: "before" | "after";
  /** What the other result says instead. */
  readonly other: string;
}

/** The changes between two results, and the rows that cannot be compared. */
export interface Comparison {
  readonly by: "time" | "ratio";
  readonly changes: readonly Change[];
  readonly unmatched: readonly Unmatched[];
}

/** A smaller change does not count, however small the spread. */
const leastChange = 0.05;

/**
 * The changes between two results beyond noise: the medians differ by more than 5 %, and the ranges from p10 to p90 do
 * not overlap. Results of two machines are compared by their ratios to the fastest peer, since times are not
 * comparable.
 */
export function compareResults(before: Result, after: Result): Comparison {
  const by = sameMachine(before, after) ? "time" : "ratio";
  const changes = after.rows.flatMap((row) => {
    const old = before.rows.find((other) => other.case === row.case && other.system === row.system);
    const change = old && (by === "time" ? inTime(old, row) : inRatio(old, row));
    return change === undefined ? [] : [{ case: row.case, system: row.system, ...change }];
  });
  const unmatched = [...only("before", before, after), ...only("after", after, before)];
  return { by, changes, unmatched };
}

/** The rows that have a number in one result and none in the other. */
function only(which: Unmatched["only"], { rows }: Result, other: Result): Unmatched[] {
  return rows.flatMap((row) => {
    const counterpart = other.rows.find((each) => each.case === row.case && each.system === row.system);
    if (row.median === null || (counterpart && counterpart.median !== null)) return [];
    const { status, note } = counterpart ?? { status: "no row", note: "" };
    return [{ case: row.case, system: row.system, only: which, other: note === "" ? status : `${status}: ${note}` }];
  });
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

/** Formats the changes, with those beyond noise first, then the rows that only one result has. */
export function formatChanges({ by, changes, unmatched }: Comparison): string {
  const moved = changes.filter(({ verdict }) => verdict !== "same");
  const lines = moved.map(
    ({ case: name, system, factor, verdict }) =>
      `${verdict.padEnd(6)}  ${name}  ${system}  ${factor < 1 ? "−" : "+"}${Math.abs((factor - 1) * 100).toFixed(0)} %`,
  );
  const basis = by === "time" ? "times" : "ratios to the fastest peer, since machines or threads differ";
  return [
    ...lines,
    ...lost(changes, unmatched),
    `${moved.length} of ${changes.length} rows changed beyond noise (compared by ${basis}).`,
  ].join("\n");
}

/** Names rows one by one if both results have their case; counts whole cases otherwise. */
function lost(changes: readonly Change[], unmatched: readonly Unmatched[]): string[] {
  const shared = new Set(changes.map((each) => each.case));
  const single = unmatched.filter((each) => shared.has(each.case) || each.other !== "no row");
  const counts = (["before", "after"] as const).flatMap((which) => {
    const rows = unmatched.filter((each) => each.only === which && !single.includes(each));
    if (rows.length === 0) return [];
    const cases = new Set(rows.map((each) => each.case)).size;
    return [`${rows.length} rows of ${cases} cases are only in the result ${which}.`];
  });
  return [
    ...single.map(
      ({ case: name, system, only: which, other }) =>
        `only ${which}  ${name}  ${system}  (${which === "before" ? "after" : "before"}: ${other})`,
    ),
    ...counts,
  ];
}
