import { groupBy } from "../results/group-by.ts";
import { gainOf, gainsLittle, isBehind } from "./notes.ts";
import { formatProfile, meanProfile } from "../profile/summary.ts";
import type { Row } from "../results/result.ts";
import { isPeer } from "../cases/systems.ts";
import { formatNumber } from "../results/table.ts";

/** Lists the cases where convkit's float32 is behind: by how much, why, what was tried, and where the time goes. Groups cases by reason. */
export function behind(rows: readonly Row[]): string[] {
  const slow = rows.filter(isBehind);
  if (slow.length === 0) return [];
  const reasons = [...groupBy(slow, ({ reason = "" }) => reason)].map(([why, group]) => {
    return [`- ${shares(rows, group)}.`, why, timeOf(group)].filter(Boolean).join(" ");
  });
  const timed = rows.filter(
    ({ case: name, system, median }) => system === "convkit" && median !== null && /^(train|predict)\//.test(name),
  );
  const profiled = slow.filter(({ profile }) => profile !== undefined);
  return [
    `convkit in float32 is ahead of the fastest peer in ${timed.length - slow.length} of ${timed.length} rows of training and prediction. Where it is behind, its speed in % of that peer's:`,
    "",
    ...reasons,
    "",
    ...folded(
      "Profile of each row that is behind",
      profiled.length === 0
        ? []
        : [
            "| step | traced, ms | where the op time goes |",
            "|---|--:|---|",
            ...profiled.map(
              ({ case: name, profile }) =>
                `| ${name} | ${formatNumber(profile!.wallMs)} | ${formatProfile(profile!, 5)} |`,
            ),
            "",
          ],
    ),
  ];
}

/** `train/lenet5` b32 82 (keras); `predict/lenet5` b1 8, b8 14 (onnxruntime) … */
function shares(rows: readonly Row[], group: readonly Row[]): string {
  return [...groupBy(group, networkOf)]
    .map(([network, mine]) => {
      const peers = groupBy(
        mine,
        (row) =>
          rows.find((other) => other.case === row.case && other.ratioToFastestPeer === 1 && isPeer(other.system))
            ?.system,
      );
      const lists = [...peers].map(([peer, some]) => {
        const each = some.map((row) => `${variantOf(row, network)} ${Math.round(row.ratioToFastestPeer! * 100)} %`);
        return `${each.join(", ")} (${peer ?? "a peer"})`;
      });
      return `**${network}** ${lists.join(", ")}`;
    })
    .join("; ");
}

/** Lists where bfloat16 is less than 1.5 times as fast as float32, why, and where its time goes. */
export function littleGain(rows: readonly Row[]): string[] {
  const little = rows.filter((row) => gainsLittle(row, rows));
  if (little.length === 0) return [];
  const all = rows.filter((row) => gainOf(row, rows) !== undefined);
  const reasons = [...groupBy(little, ({ reason = "" }) => reason)].map(([why, group]) => {
    const gains = [...groupBy(group, networkOf)].map(([network, mine]) => {
      const each = mine.map((row) => `${variantOf(row, network)} ${gainOf(row, rows)!.toFixed(2)}`);
      return `**${network}** ${each.join(", ")}`;
    });
    return [`- ${gains.join("; ")}.`, why, timeOf(group)].filter(Boolean).join(" ");
  });
  return folded("Where bfloat16 gains little", [
    `bfloat16 is at least 1.5 times as fast as float32 in ${all.length - little.length} of ${all.length} rows of training and prediction. In the others, by so many times:`,
    "",
    ...reasons,
    "",
  ]);
}

/** `train/lenet5` of `train/lenet5-b32`. */
function networkOf({ case: name }: Row): string {
  return name.replace(/-b\d+.*$/, "");
}

/** `b32` of `train/lenet5-b32`. */
function variantOf({ case: name }: Row, network: string): string {
  return name.slice(network.length + 1);
}

/** The mean of the rows' profiles as a sentence; empty without a profile. */
function timeOf(rows: readonly Row[]): string {
  const profiles = rows.flatMap(({ profile }) => profile ?? []);
  return profiles.length === 0 ? "" : `*Where the time goes: ${formatProfile(meanProfile(profiles))}.*`;
}

/** Folds lines into a section that opens on a click; empty without lines. */
export function folded(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`<details><summary>${title}</summary>`, "", ...lines, ...(lines.at(-1) === "" ? [] : [""]), "</details>", ""];
}
