import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chartSvg } from "../src/chart.ts";
import { formatCsv } from "../src/csv.ts";
import { readmeSection, updateReadme } from "../src/readme.ts";
import { newestResult, readResult, writeResult } from "../src/result-files.ts";
import { withRatios } from "../src/result.ts";
import { formatNumber, formatTable } from "../src/table.ts";
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
      "case,system,status,variant,median,p10,p90,unit,ratioToFastestPeer,samples,otherLoad,peakMB,note",
    );
    expect(lines[1]).toBe("train/lenet5-b32,convkit,ok,default,2,1.96,2.04,ms,1.5,6,0,250,");
    expect(lines[4]).toBe('train/lenet5-b32,onnxruntime,failed,,,,,ms,,6,0,,"it said ""no"", twice"');
    expect(lines.at(-1)).toBe("");
  });
});

describe("the files of a result", () => {
  it("are JSON, CSV and two charts, and the JSON reads back", () => {
    const made = result(rows);
    expect(writeResult(folder, "a", made)).toEqual(
      ["a.json", "a.csv", "a.svg", "a-dark.svg"].map((f) => join(folder, f)),
    );
    expect(readResult(join(folder, "a.json"))).toEqual(made);
  });

  it("the newest is the latest complete one of all cases", () => {
    writeResult(folder, "old", result(rows, { date: "2026-01-01T00:00:00.000Z" }));
    writeResult(folder, "new", result(rows, { date: "2026-02-01T00:00:00.000Z" }));
    writeResult(folder, "stopped", result(rows, { date: "2026-03-01T00:00:00.000Z", complete: false }));
    writeResult(folder, "quick", result(rows, { date: "2026-03-01T00:00:00.000Z", scope: "quick" }));
    expect(newestResult(folder)?.name).toBe("new");
    expect(newestResult(join(folder, "nowhere"))).toBeUndefined();
  });

  it.each(["", "[]", "{}", "null", "not JSON"])("refuses a file that holds %j", (text) => {
    const path = join(folder, "bad.json");
    writeFileSync(path, text);
    expect(() => readResult(path)).toThrow(`${path} is not a benchmark result`);
  });
});

describe("chartSvg", () => {
  it("draws each case with its ratios, in two themes", () => {
    const light = chartSvg(result(rows), "light")!;
    const dark = chartSvg(result(rows), "dark")!;
    for (const svg of [light, dark]) {
      expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/);
      for (const text of ["train/lenet5-b32", "convkit", "keras", "1.50"]) expect(svg).toContain(text);
    }
    expect(light).toContain("#ffffff");
    expect(dark).toContain("#0d1117");
  });

  it("draws nothing where no case has a peer and us", () => {
    expect(chartSvg(result([row("train/lenet5-b32", "keras", 1)]), "light")).toBeUndefined();
  });
});

describe("the README's section", () => {
  it("replaces what stands between the markers, and nothing else", () => {
    const path = join(folder, "README.md");
    writeFileSync(path, "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n");
    updateReadme(path, readmeSection(result(rows), {}, "a", "results"));
    updateReadme(path, readmeSection(result(rows), {}, "b", "results"));
    const text = readFileSync(path, "utf8");
    expect(text).toMatch(/^before\n<!-- bench:begin -->\n<picture>[^]*\n<!-- bench:end -->\nafter\n$/);
    expect(text).toContain("| lenet5-b32 | **2.00** | 4.00 | 3.00 |");
    expect(text).toContain(
      "Some CPU, 2 cores (avx2, amx_bf16), 2 threads, Linux 6.1 x64, 2026-11-21, commit 0123456789",
    );
    expect(text).toContain("during 1 of 5 rows others used 23–23 % of it");
    expect(text).not.toContain("a.csv");
  });

  it("says of rows that are behind why, and folds the other cases away", () => {
    const slow = withRatios([
      row("train/lenet5-b32", "convkit", 4),
      row("train/lenet5-b32", "keras", 3),
      row("memory/lenet5-b32", "convkit", 300),
    ]);
    const notes = { "train/lenet5-b32": "Calls cost more here." };
    const text = readmeSection(result(slow), notes, "a", "results");
    expect(text).toContain("- `train/lenet5-b32`: 75 % of keras's speed. Calls cost more here.\n");
    expect(text).toMatch(/<details><summary>First step, [^]*\| lenet5-b32 \| \*\*300\*\* \|\n\n<\/details>/);
  });

  it("refuses a file without them", () => {
    const path = join(folder, "README.md");
    writeFileSync(path, "nothing here");
    expect(() => updateReadme(path, "x")).toThrow("it needs the lines <!-- bench:begin --> and <!-- bench:end -->");
  });
});
