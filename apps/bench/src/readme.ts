import { readFileSync, writeFileSync } from "node:fs";
import { groupBy } from "./group-by.ts";
import { isBehind } from "./notes.ts";
import { formatProfile, meanProfile } from "./profile-summary.ts";
import type { Result, Row } from "./result.ts";
import { quantile } from "./statistics.ts";
import { formatNumber } from "./table.ts";
import { isPeer, type SystemName, systemNames } from "./systems.ts";

const markers = { begin: "<!-- bench:begin -->", end: "<!-- bench:end -->" } as const;

/** Writes the section of the newest result between the README's markers. Throws where it has none. */
export function updateReadme(path: string, section: string): void {
  const text = readFileSync(path, "utf8");
  const begin = text.indexOf(markers.begin);
  const end = text.indexOf(markers.end);
  if (begin < 0 || end < begin)
    throw new Error(`${path} has no place for the results: it needs the lines ${markers.begin} and ${markers.end}.`);
  writeFileSync(path, `${text.slice(0, begin + markers.begin.length)}\n${section}\n${text.slice(end)}`);
}

/**
 * The result as Markdown: the chart, a table each of training and prediction, why rows are behind, the other cases folded,
 * and where the numbers come from.
 */
export function readmeSection(result: Result, name: string, folder: string): string {
  const { machine, versions, date, commit, threads, rows } = result;
  const known = ["tfjs", "tensorflow", "keras", "torch", "onnxruntime", "node"].filter((key) => versions[key]);
  return [
    `<picture><source media="(prefers-color-scheme: dark)" srcset="${folder}/${name}-dark.svg"><img alt="Speed of each system relative to the fastest peer" src="${folder}/${name}.svg"></picture>`,
    "",
    ...table(rows, "train/", "Training, ms a step"),
    ...folded("Prediction, ms a batch", table(rows, "predict/", "Prediction, ms a batch")),
    ...behind(rows),
    ...loadWarning(rows),
    ...folded("First step, memory, loading, data, time to accuracy, scaling over threads", [
      ...table(rows, "first-step/", "First step: trace and compile, ms"),
      ...table(rows, "memory/", "Largest resident set, MB (training, unless it says predict)"),
      ...table(rows, "build/", "Building with fresh weights, ms"),
      ...table(rows, "load/", "From the file to the first prediction, ms"),
      ...table(rows, "data/", "Data, ms a batch"),
      ...table(rows, "accuracy/", "From the start to 99 % on MNIST, s"),
      ...scaling(rows, threads),
    ]),
    ...folded("Rows without a number", missing(rows)),
    `Medians; the fastest variant of each system; bold is the fastest of float32. ${machine.cpu}, ${machine.cores} cores (${machine.features.filter((flag) => /amx_bf16|avx512f|avx2|bf16/.test(flag)).join(", ")}), ${threads} threads, ${machine.os}, ${date.slice(0, 10)}, commit ${commit ?? "unknown"}; ${known.map((key) => `${key} ${versions[key]}`).join(", ")}. All cases, spread and variants: [${name}.csv](${folder}/${name}.csv); profiles: [${name}.json](${folder}/${name}.json); how it is measured: [benchmarks](docs/benchmarks.md).`,
  ].join("\n");
}

/** Where convkit's float32 is behind, by how much, why, what was tried, and where the time goes; cases of one reason stand together. */
function behind(rows: readonly Row[]): string[] {
  const slow = rows.filter(isBehind);
  if (slow.length === 0) return [];
  const reasons = [...groupBy(slow, ({ reason = "" }) => reason)].map(([why, group]) => {
    const profiles = group.flatMap(({ profile }) => profile ?? []);
    const time = profiles.length === 0 ? "" : `*Where the time goes: ${formatProfile(meanProfile(profiles))}.*`;
    return [`- ${shares(rows, group)}.`, why, time].filter(Boolean).join(" ");
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
  const networks = groupBy(group, ({ case: name }) => name.replace(/-b\d+.*$/, ""));
  return [...networks]
    .map(([network, mine]) => {
      const peers = groupBy(
        mine,
        (row) =>
          rows.find((other) => other.case === row.case && other.ratioToFastestPeer === 1 && isPeer(other.system))
            ?.system,
      );
      const lists = [...peers].map(([peer, some]) => {
        const each = some.map(
          (row) => `${row.case.slice(network.length + 1)} ${Math.round(row.ratioToFastestPeer! * 100)} %`,
        );
        return `${each.join(", ")} (${peer ?? "a peer"})`;
      });
      return `**${network}** ${lists.join(", ")}`;
    })
    .join("; ");
}

/** How many times as fast all threads are as fewer: of the rows `scale/train-lenet5-b32-threads1` and their kin. */
function scaling(rows: readonly Row[], threads: number): string[] {
  const ratios = rows.flatMap((row) => {
    const [, kind, rest, fewer] = /^scale\/(train|predict|data)-(.*)-(?:threads|workers)(\d+)$/.exec(row.case) ?? [];
    const whole = rows.find(({ case: name, system }) => name === `${kind}/${rest}` && system === row.system);
    if (fewer === undefined || row.median === null || !whole?.median) return [];
    const ratio = row.median / whole.median;
    return [{ ...row, case: `scaling/${kind}/${rest}, ${fewer} to ${threads}`, median: ratio, unit: "ms" as const }];
  });
  return table(ratios, "scaling/", "Times as fast with all threads (decoding: workers)", false);
}

/** The systems that a training or prediction case has no number of, and why. */
function missing(rows: readonly Row[]): string[] {
  const reasons = groupBy(
    rows.filter(({ case: name, median, note }) => /^(train|predict)\//.test(name) && median === null && note !== ""),
    ({ system, status, note }) => `${system} ${status}: ${note}`,
  );
  return [...reasons].map(([why, group]) => `- ${group.map(({ case: name }) => name).join(", ")}: ${why}`);
}

function folded(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`<details><summary>${title}</summary>`, "", ...lines, ...(lines.at(-1) === "" ? [] : [""]), "</details>", ""];
}

/** On a busy machine the numbers mislead, and the reader must know. */
function loadWarning(rows: readonly Row[]): string[] {
  const loads = rows.flatMap(({ otherLoad }) => (otherLoad === null ? [] : [otherLoad]));
  const busy = loads.filter((share) => share > 0.1);
  if (busy.length === 0) return [];
  const [from, to] = [quantile(busy, 0.1), quantile(busy, 0.9)].map((share) => Math.round(share * 100));
  return [
    `**Taken on a busy machine**: during ${busy.length} of ${loads.length} rows others used ${from}–${to} % of it. Spinning threads (PyTorch's) suffer more from that than sleeping ones (TensorFlow's), so take the ratios for a hint until a quiet run replaces them.`,
    "",
  ];
}

function table(rows: readonly Row[], prefix: string, title: string, lowestIsBest = true): string[] {
  const mine = rows.filter((row) => row.case.startsWith(prefix) && row.status === "ok");
  if (mine.length === 0) return [];
  // One cell is no column: the file has tfjs in plain JavaScript.
  const columns = systemNames.filter((system) => system !== "tfjs-cpu" && mine.some((row) => row.system === system));
  const lines = [...groupBy(mine, (row) => row.case)].map(([name, group]) => {
    const median = (system: SystemName) => group.find((row) => row.system === system)?.median ?? undefined;
    const best = Math.min(
      ...columns.filter((system) => system !== "convkit-bf16").map((system) => median(system) ?? Infinity),
    );
    const cells = columns.map((system) => {
      const value = median(system);
      if (value === undefined) return "";
      return value === best && lowestIsBest ? `**${formatNumber(value)}**` : formatNumber(value);
    });
    return `| ${[name.slice(prefix.length), ...cells].join(" | ")} |`;
  });
  return [`| ${[title, ...columns].join(" | ")} |`, `|---|${columns.map(() => "--:|").join("")}`, ...lines, ""];
}
