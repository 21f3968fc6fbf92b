import { readFileSync } from "node:fs";
import { cases, selectCases } from "./cases.ts";
import { type MeasureOptions, measureCases } from "./measure.ts";
import { type Row, withRatios } from "./result.ts";
import { formatTable } from "./table.ts";

/** How a guarded case came out. */
export interface Guarded {
  readonly case: string;
  /** tfjs-node's median over convkit's, in this run. */
  readonly ratio: number | null;
  readonly floor: number;
  readonly ok: boolean;
  readonly note: string;
}

type Settings = Omit<MeasureOptions, "systems" | "python">;

/**
 * The `--check` of continuous integration: reruns the cases that have a floor and throws where convkit's lead over tfjs-node
 * eager, in the same run, falls under it. Ratios hold on any machine, times do not.
 */
export async function guard(patterns: readonly string[], settings: Settings, json = false): Promise<void> {
  const floors = JSON.parse(readFileSync(new URL("../floors.json", import.meta.url), "utf8")) as Record<string, number>;
  const guarded = selectCases(
    patterns,
    cases.filter(({ name }) => floors[name] !== undefined),
  );
  const rows: Row[] = [];
  for await (const measured of measureCases(guarded, {
    ...settings,
    systems: ["convkit", "tfjs-node"],
    python: undefined,
  }))
    rows.push(...measured.rows);
  const verdicts = judge(rows, floors);
  const lines = verdicts.map(
    ({ case: name, ratio, floor, ok, note }) =>
      `${ok ? "ok  " : "FAIL"}  ${name}: ${ratio === null ? note : `${ratio.toFixed(2)} times as fast as tfjs-node`}, floor ${floor}`,
  );
  process.stdout.write(
    `${json ? JSON.stringify(verdicts, null, 2) : `${formatTable(withRatios(rows))}\n\n${lines.join("\n")}`}\n`,
  );
  const failed = verdicts.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new Error(
      `${failed.length} of ${verdicts.length} cases fell under their floor: ${failed.map((each) => each.case).join(", ")}.`,
    );
}

/** Whether each case of the rows holds its floor; a case without both numbers does not. */
export function judge(rows: readonly Row[], floors: Readonly<Record<string, number>>): Guarded[] {
  return [...new Set(rows.map((row) => row.case))].map((name) => {
    const row = (system: string) => rows.find((each) => each.case === name && each.system === system);
    const [ours, theirs] = [row("convkit"), row("tfjs-node")];
    const floor = floors[name]!;
    const ratio = ours?.median && theirs?.median ? theirs.median / ours.median : null;
    const note = [ours, theirs].flatMap((each) =>
      each?.median ? [] : [`${each?.system} ${each?.status} ${each?.note}`],
    );
    return { case: name, ratio, floor, ok: ratio !== null && ratio >= floor, note: note.join("; ") };
  });
}
