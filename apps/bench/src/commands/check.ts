import { readFileSync } from "node:fs";
import { availableEngines } from "@convkit/engine";
import { type Case, cases, selectCases } from "../cases/cases.ts";
import { type MeasureOptions, measureCases } from "../measure/measure.ts";
import { type Row, withRatios } from "../results/result.ts";
import { formatTable } from "../results/table.ts";
import { BenchError } from "../usage-error.ts";

/** The result of a guarded case. */
export interface Guarded {
  readonly case: string;
  /**
   * tfjs-node's time divided by convkit's in this run. Uses the fastest tenth of each, since other load only ever
   * slows.
   */
  readonly ratio: number | null;
  readonly floor: number;
  readonly ok: boolean;
  readonly note: string;
}

type Settings = Omit<MeasureOptions, "systems" | "python">;
type Floors = Readonly<Record<string, number>>;

/**
 * The `--check` of continuous integration. Reruns the cases that have a floor and compares convkit with eager tfjs-node
 * in the same run. Throws if convkit's lead falls below the floor twice. Ratios hold on any machine, times do not.
 * Without TensorFlow there is nothing to compare, and a message says so.
 */
export async function guard(patterns: readonly string[], settings: Settings, json = false): Promise<void> {
  const floors = JSON.parse(readFileSync(new URL("../../floors.json", import.meta.url), "utf8")) as Floors;
  const guarded = selectCases(
    patterns,
    cases.filter(({ name }) => floors[name] !== undefined),
  ).map(withoutSeveralSteps);
  if (!(await availableEngines()).includes("native")) {
    process.stderr.write(
      "Nothing was checked: TensorFlow's native engine, on which tfjs-node runs, is not installed.\n",
    );
    if (json) process.stdout.write("[]\n");
    return;
  }
  const rows = await measured(guarded, settings);
  const verdicts = await judgeTwice(rows, floors, async (names) => {
    const again = guarded.filter(({ name }) => names.includes(name));
    return settings.signal?.aborted ? [] : measured(again, settings);
  });
  const lines = verdicts.map(
    ({ case: name, ratio, floor, ok, note }) =>
      `${ok ? "ok  " : "FAIL"}  ${name}: ${ratio === null ? note : `${ratio.toFixed(2)} times as fast as tfjs-node`}, floor ${floor}`,
  );
  process.stdout.write(
    `${json ? JSON.stringify(verdicts, null, 2) : `${formatTable(withRatios(rows))}\n\n${lines.join("\n")}`}\n`,
  );
  const failed = verdicts.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new BenchError(
      `${failed.length} of ${verdicts.length} cases fell under their floor: ${failed.map((each) => each.case).join(", ")}.`,
    );
}

/** tfjs-node takes one step per call, so convkit must do the same here. */
function withoutSeveralSteps(each: Case): Case {
  return { ...each, without: [...(each.without ?? []), "steps"] };
}

async function measured(guarded: readonly Case[], settings: Settings): Promise<Row[]> {
  const rows: Row[] = [];
  const both = { ...settings, systems: ["convkit", "tfjs-node"], python: undefined } as const;
  for await (const part of measureCases(guarded, both)) rows.push(...part.rows);
  return rows;
}

/** Judges the cases. Measures a case below its floor once more, since a moment of other load must not fail a build. */
export async function judgeTwice(
  rows: readonly Row[],
  floors: Floors,
  again: (names: readonly string[]) => Promise<readonly Row[]>,
): Promise<Guarded[]> {
  const verdicts = judge(rows, floors);
  const under = verdicts.filter(({ ok }) => !ok).map((each) => each.case);
  if (under.length === 0) return verdicts;
  const second = judge(await again(under), floors);
  return verdicts.map((first) => second.find((each) => each.ok && each.case === first.case) ?? first);
}

/** Whether each case of the rows holds its floor; a case without both numbers does not. */
export function judge(rows: readonly Row[], floors: Floors): Guarded[] {
  return [...new Set(rows.map((row) => row.case))].map((name) => {
    const row = (system: string) => rows.find((each) => each.case === name && each.system === system);
    const [ours, theirs] = [row("convkit"), row("tfjs-node")];
    const floor = floors[name]!;
    const ratio = ours?.p10 && theirs?.p10 ? theirs.p10 / ours.p10 : null;
    const note = [ours, theirs].flatMap((each) => (each?.p10 ? [] : [`${each?.system} ${each?.status} ${each?.note}`]));
    return { case: name, ratio, floor, ok: ratio !== null && ratio >= floor, note: note.join("; ") };
  });
}
