import { readFileSync, writeFileSync } from "node:fs";
import { groupBy } from "./group-by.ts";
import { isBehind, type Notes } from "./notes.ts";
import type { Result, Row } from "./result.ts";
import { quantile } from "./statistics.ts";
import { formatNumber } from "./table.ts";
import { type SystemName, systemNames } from "./systems.ts";

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
export function readmeSection(result: Result, notes: Notes, name: string, folder: string): string {
  const { machine, versions, date, commit, threads, rows } = result;
  const known = ["tfjs", "tensorflow", "keras", "torch", "onnxruntime", "node"].filter((key) => versions[key]);
  return [
    `<picture><source media="(prefers-color-scheme: dark)" srcset="${folder}/${name}-dark.svg"><img alt="Speed of each system relative to the fastest peer" src="${folder}/${name}.svg"></picture>`,
    "",
    ...table(rows, "train/", "Training, ms a step"),
    ...table(rows, "predict/", "Prediction, ms a batch"),
    ...behind(rows, notes),
    ...loadWarning(rows),
    ...folded("First step, memory, loading, data, accuracy and scaling", [
      ...table(rows, "first-step/", "First step: trace and compile, ms"),
      ...table(rows, "memory/", "Largest resident set while training, MB"),
      ...table(rows, "build/", "Building with fresh weights, ms"),
      ...table(rows, "load/", "From the file to the first prediction, ms"),
      ...table(rows, "data/", "Data, ms a batch"),
      ...table(rows, "accuracy/", "From the start to 99 % on MNIST, s"),
      ...table(rows, "scale/", "With one thread or worker, ms"),
    ]),
    `Medians; the fastest variant of each system; bold is the fastest of float32. ${machine.cpu}, ${machine.cores} cores (${machine.features.filter((flag) => /amx_bf16|avx512f|avx2|bf16/.test(flag)).join(", ")}), ${threads} threads, ${machine.os}, ${date.slice(0, 10)}, commit ${commit ?? "unknown"}; ${known.map((key) => `${key} ${versions[key]}`).join(", ")}. All cases, spread and variants: [${name}.csv](${folder}/${name}.csv); how it is measured: [benchmarks](docs/benchmarks.md).`,
  ].join("\n");
}

/** Where convkit's float32 is behind, by how much, why, and what was tried; cases of one reason stand together. */
function behind(rows: readonly Row[], notes: Notes): string[] {
  const reasons = groupBy(rows.filter(isBehind), (row) => notes[row.case] ?? "");
  const lines = [...reasons].map(([why, group]) => {
    const cases = group.map((row) => {
      const peer = rows.find((other) => other.case === row.case && other.ratioToFastestPeer === 1);
      const share = `${Math.round(row.ratioToFastestPeer! * 100)} % of ${peer?.system ?? "a peer"}'s speed`;
      return `\`${row.case}\`: ${share}`;
    });
    return `- ${cases.join("; ")}${why === "" ? "" : `. ${why}`}`;
  });
  return lines.length === 0 ? [] : ["Where convkit in float32 is behind the fastest peer:", "", ...lines, ""];
}

function folded(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`<details><summary>${title}</summary>`, "", ...lines, "</details>", ""];
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

function table(rows: readonly Row[], prefix: string, title: string): string[] {
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
      return value === best ? `**${formatNumber(value)}**` : formatNumber(value);
    });
    return `| ${[name.slice(prefix.length), ...cells].join(" | ")} |`;
  });
  return [`| ${[title, ...columns].join(" | ")} |`, `|---|${columns.map(() => "--:|").join("")}`, ...lines, ""];
}
