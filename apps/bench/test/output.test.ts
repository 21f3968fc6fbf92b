import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cases } from "../src/cases/cases.ts";
import { chartSvg } from "../src/results/chart.ts";
import { formatCsv } from "../src/results/csv.ts";
import { resultsSection, updatePage } from "../src/readme/section.ts";
import { withReasons } from "../src/readme/notes.ts";
import { newestResult, readResult, writeResult } from "../src/results/files.ts";
import { withRatios } from "../src/results/result.ts";
import { formatNumber, formatTable } from "../src/results/table.ts";
import { result, row } from "./rows.ts";

const rows = [
  row("train/lenet5-b32", "convkit", 2),
  row("train/lenet5-b32", "keras", 4, { variant: "fit", otherLoad: 0.23 }),
  row("train/lenet5-b32", "torch", 3, { variant: "channels_last" }),
  row("train/lenet5-b32", "onnxruntime", null, { note: 'it said "no", twice' }),
  row("predict/lenet5-b1", "convkit", 1),
];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("withRatios", () => {
  it("divides the fastest peer's median by each row's", () => {
    expect(withRatios(rows).map(({ ratioToFastestPeer }) => ratioToFastestPeer)).toEqual([1.5, 0.75, 1, null, null]);
  });
});

describe("formatTable", () => {
  it("has a block a case, the fastest first, and says what went wrong", () => {
    expect(formatTable(withRatios(rows)).split("\n")).toEqual([
      "case               system       median  p10–p90     unit  vs fastest peer  peak MB  note",
      "train/lenet5-b32   convkit        2.00  1.96–2.04   ms               1.50      250",
      "                   torch          3.00  2.94–3.06   ms               1.00      250  channels_last",
      "                   keras          4.00  3.92–4.08   ms               0.75      250  fit; others used 23 % of the machine",
      '                   onnxruntime       –                                              failed; it said "no", twice',
      "predict/lenet5-b1  convkit        1.00  0.980–1.02  ms                         250",
    ]);
  });

  it.each([
    [0.01234, "0.0123"],
    [9.876, "9.88"],
    [12.34, "12.3"],
    [1234.5, "1235"],
  ])("%d is written %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe("formatCsv", () => {
  it("quotes what needs quotes, and leaves missing numbers empty", () => {
    const lines = formatCsv(withRatios(rows)).split("\r\n");
    expect(lines[0]).toBe(
      "case,system,status,variant,median,p10,p90,unit,ratioToFastestPeer,samples,otherLoad,peakMB,note,reason",
    );
    expect(lines[1]).toBe("train/lenet5-b32,convkit,ok,default,2,1.96,2.04,ms,1.5,6,0,250,,");
    expect(lines[4]).toBe('train/lenet5-b32,onnxruntime,failed,,,,,ms,,6,0,,"it said ""no"", twice",');
    expect(lines.at(-1)).toBe("");
  });
});

describe("the files of a result", () => {
  it("are JSON, CSV and two charts, and the JSON reads back", async () => {
    const made = result(rows);
    expect(await writeResult(folder, "a", made)).toEqual(
      ["a.json", "a.csv", "a.svg", "a-dark.svg"].map((f) => join(folder, f)),
    );
    expect(readResult(join(folder, "a.json"))).toEqual(made);
  });

  it("the newest is the latest complete one of all cases", async () => {
    await writeResult(folder, "old", result(rows, { date: "2026-01-01T00:00:00.000Z" }));
    await writeResult(folder, "new", result(rows, { date: "2026-02-01T00:00:00.000Z" }));
    await writeResult(folder, "stopped", result(rows, { date: "2026-03-01T00:00:00.000Z", complete: false }));
    await writeResult(folder, "quick", result(rows, { date: "2026-03-01T00:00:00.000Z", scope: "quick" }));
    expect(newestResult(folder)?.name).toBe("new");
    expect(newestResult(join(folder, "nowhere"))).toBeUndefined();
  });

  it.each(["", "[]", "{}", "null", "not JSON"])("refuses a file that holds %j", (text) => {
    const path = join(folder, "bad.json");
    writeFileSync(path, text);
    expect(() => readResult(path)).toThrow(`${path} is not a benchmark result`);
  });

  it.each([
    ["nothing else", { case: "train/lenet5-b32" }],
    ["half of its numbers", { ...rows[1], p90: null }],
    ["text for a number", { ...rows[1], median: "4" }],
    ["no object", null],
  ])("refuses a file with a row of %s, and says which", (_, broken) => {
    const path = join(folder, "damaged.json");
    writeFileSync(path, JSON.stringify({ ...result(rows), rows: [rows[0], broken] }));
    expect(() => readResult(path)).toThrow(`${path} is damaged: row 2 of 2 has not the case, system, status, note`);
  });
});

describe("chartSvg", () => {
  it("draws each case on a line, in two themes", () => {
    const light = chartSvg(result(rows), "light")!;
    const dark = chartSvg(result(rows), "dark")!;
    for (const svg of [light, dark]) {
      expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/);
      for (const text of ["train/lenet5-b32", "convkit", "keras", "1/2"]) expect(svg).toContain(text);
    }
    expect(light).toContain("#ffffff");
    expect(dark).toContain("#0d1117");
  });

  it("stays a screen or so high with all cases", () => {
    const many = cases
      .filter(({ name, work }) => /^(train|predict)\//.test(name) && work.device === "cpu")
      .flatMap(({ name }) => [row(name, "convkit", 1), row(name, "keras", 2)]);
    const [, height] = /^<svg width="860" height="(\d+)"/.exec(chartSvg(result(many), "light")!)!;
    expect(Number(height)).toBeLessThan(1000);
  });

  it("draws nothing where no case has a peer and us", () => {
    expect(chartSvg(result([row("train/lenet5-b32", "keras", 1)]), "light")).toBeUndefined();
  });
});

describe("the section of the page of benchmarks", () => {
  it("replaces what stands between the markers, and nothing else", () => {
    const path = join(folder, "README.md");
    writeFileSync(path, "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n");
    updatePage(path, resultsSection(result(rows), "a", "results"));
    updatePage(path, resultsSection(result(rows), "b", "results"));
    const text = readFileSync(path, "utf8");
    expect(text).toMatch(/^before\n<!-- bench:begin -->\n<picture>[^]*\n<!-- bench:end -->\nafter\n$/);
    expect(text).toContain("| lenet5-b32 | **2.00** | 4.00 | 3.00 |");
    expect(text).toContain(
      "Some CPU, 2 cores (avx2, amx_bf16), 2 threads, Linux 6.1 x64, 2026-11-21, commit 0123456789",
    );
    expect(text).toContain("during 1 of 5 rows others used 23–23 % of it");
    expect(text).not.toContain("a.csv");
  });

  it("says of rows that are behind by how much, why, and where the time goes", () => {
    const profile = (share: number) => ({
      wallMs: 4.5,
      idle: 0.2,
      ops: [
        { op: "_MklConv2D", count: 2, ms: 3, share },
        { op: "MaxPool", count: 2, ms: 1, share: 1 - share },
      ],
    });
    const slow = withRatios([
      row("train/lenet5-b32", "convkit", 2),
      row("train/lenet5-b32", "keras", 3),
      row("predict/lenet5-b1", "convkit", 4, { profile: profile(0.6) }),
      row("predict/lenet5-b1", "keras", 3),
      row("predict/lenet5-b8", "convkit", 4, { profile: profile(0.8) }),
      row("predict/lenet5-b8", "keras", 2),
      row("predict/vgg16-b1", "convkit", 4),
      row("predict/vgg16-b1", "torch", 3),
    ]);
    const notes = { behind: { "predict/*": "Calls cost more here." }, runtimes: {}, bfloat16: {} };
    const text = resultsSection(result(withReasons(slow, notes)), "a", "results");
    expect(text).toContain("convkit in float32 is ahead of the fastest peer in 1 of 4 rows");
    expect(text).toContain(
      "- **predict/lenet5** b1 75 %, b8 50 % (keras); **predict/vgg16** b1 75 % (torch). Calls cost more here. *Where the time goes: Conv2D 70 %, MaxPool 30 %; no op ran in 20 % of the time.*\n",
    );
    expect(text).toContain("| predict/lenet5-b8 | 4.50 | Conv2D 80 %, MaxPool 20 %; no op ran in 20 % of the time |\n");
  });

  it("says of rows in which bfloat16 gains little by how much, why, and where the time goes", () => {
    const profile = { wallMs: 3, idle: 0, ops: [{ op: "MaxPool", count: 1, ms: 3, share: 1 }] };
    const little = [
      row("train/lenet5-b32", "convkit", 4),
      row("train/lenet5-b32", "convkit-bf16", 4, { profile }),
      row("train/googlenet-b8", "convkit", 4),
      row("train/googlenet-b8", "convkit-bf16", 2),
    ];
    const notes = { behind: {}, runtimes: {}, bfloat16: { "train/*": "Its kernels are too small." } };
    const text = resultsSection(result(withReasons(little, notes)), "a", "results");
    expect(text).toContain("bfloat16 is at least 1.5 times as fast as float32 in 1 of 2 rows");
    expect(text).toContain(
      "- **train/lenet5** b32 1.00. Its kernels are too small. *Where the time goes: MaxPool 100 %.*\n",
    );
  });

  it("folds the other cases away, and divides one thread's time by that of all", () => {
    const others = [
      row("memory/lenet5-b32", "convkit", 300),
      row("train/lenet5-b32", "convkit", 4),
      row("scale/train-lenet5-b32-threads1", "convkit", 6),
      row("data/jpeg-180-b32", "convkit", 20),
      row("scale/data-jpeg-180-b32-workers1", "convkit", 30),
    ];
    const text = resultsSection(result(others), "a", "results");
    const folded = text.slice(text.indexOf("<details><summary>First step, "));
    expect(folded).toContain("| lenet5-b32 | **300** |\n");
    expect(folded).toContain("| train/lenet5-b32, 1 to 2 | 1.50 |\n| data/jpeg-180-b32, 1 to 2 | 1.50 |\n\n</details>");
  });

  it("says of systems without a number why", () => {
    const cannot = [row("train/lenet5-b32", "tfjs-node", null, { status: "cannot", note: "it has no such layer" })];
    const text = resultsSection(result([...rows, ...cannot]), "a", "results");
    expect(text).toContain("- train/lenet5-b32: tfjs-node cannot: it has no such layer\n");
    expect(text).toContain("- train/lenet5-b32, predict/lenet5-b1: convkit-wasm left out: on large pictures, ");
  });

  it("refuses a file without them", () => {
    const path = join(folder, "README.md");
    writeFileSync(path, "nothing here");
    expect(() => updatePage(path, "x")).toThrow("it needs the lines <!-- bench:begin --> and <!-- bench:end -->");
  });
});
