import { readFileSync, writeFileSync } from "node:fs";
import { leftOut } from "../cases/cases.ts";
import { groupBy } from "../results/group-by.ts";
import { behind, folded, littleGain } from "./reasons.ts";
import type { Result, Row } from "../results/result.ts";
import { quantile } from "../results/statistics.ts";
import { formatNumber } from "../results/table.ts";
import { type SystemName, systemNames } from "../cases/systems.ts";
import { BenchError } from "../usage-error.ts";

const markers = { begin: "<!-- bench:begin -->", end: "<!-- bench:end -->" } as const;

/** Writes a section between a page's markers. Throws if the page has no markers. */
export function updatePage(path: string, section: string): void {
  const text = readFileSync(path, "utf8");
  const begin = text.indexOf(markers.begin);
  const end = text.indexOf(markers.end);
  if (begin < 0 || end < begin)
    throw new BenchError(
      `${path} has no place for the results: it needs the lines ${markers.begin} and ${markers.end}.`,
    );
  writeFileSync(path, `${text.slice(0, begin + markers.begin.length)}\n${section}\n${text.slice(end)}`);
}

/** A result's chart as Markdown, for light and dark pages. */
export function chartPicture(name: string, folder: string): string {
  return `<picture><source media="(prefers-color-scheme: dark)" srcset="${folder}/${name}-dark.svg"><img alt="Speed of each system relative to the fastest peer" src="${folder}/${name}.svg"></picture>`;
}

/**
 * The result as Markdown: the chart, a table for training and one for prediction, why rows are slow, the other cases
 * folded, and how the numbers were measured.
 */
export function resultsSection(result: Result, name: string, folder: string): string {
  const { machine, versions, date, commit, threads, rows } = result;
  const known = ["tfjs", "tensorflow", "keras", "torch", "onnxruntime", "openvino", "node"].filter(
    (key) => versions[key],
  );
  return [
    chartPicture(name, folder),
    "",
    ...table(rows, "train/", "Training, ms a step"),
    ...folded("Prediction, ms a batch", table(rows, "predict/", "Prediction, ms a batch")),
    ...behind(rows),
    ...littleGain(rows),
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
    `Medians; the fastest variant of each system; bold is the fastest of float32. ${machine.cpu}, ${machine.cores} cores (${machine.features.filter((flag) => /amx_bf16|avx512f|avx2|bf16/.test(flag)).join(", ")}), ${threads} threads, ${machine.os}, ${date.slice(0, 10)}, commit ${commit ?? "unknown"}; ${known.map((key) => `${key} ${versions[key]}`).join(", ")}. All cases, spread and variants: [${name}.csv](${folder}/${name}.csv); profiles: [${name}.json](${folder}/${name}.json); how it is measured stands [above](#what-is-compared).`,
  ].join("\n");
}

/**
 * Says how many times as fast all threads are as fewer threads, from rows such as `scale/train-lenet5-b32-threads1`.
 */
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

/** Says which systems have no number in a training or prediction case, and why. */
function missing(rows: readonly Row[]): string[] {
  const reasons = groupBy(
    rows.filter(({ case: name, median, note }) => /^(train|predict)\//.test(name) && median === null && note !== ""),
    ({ system, status, note }) => `${system} ${status}: ${note}`,
  );
  const timed = new Set(rows.map((row) => row.case).filter((name) => /^(train|predict)\/(?!.*-gpu)/.test(name)));
  const absent = Object.entries(leftOut).flatMap(([system, why]) => {
    const names = [...timed].filter((name) => !rows.some((row) => row.case === name && row.system === system));
    return names.length === 0 ? [] : [`- ${names.join(", ")}: ${system} ${why}`];
  });
  return [
    ...[...reasons].map(([why, group]) => `- ${group.map(({ case: name }) => name).join(", ")}: ${why}`),
    ...absent,
  ];
}

/** Warns the reader of numbers that were measured on a busy machine. */
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
  // tfjs in plain JavaScript has too few numbers for a column; the file has them.
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
