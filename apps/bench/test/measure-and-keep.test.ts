import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { selectCases } from "../src/cases/cases.ts";
import { type KeepOptions, measureAndKeep } from "../src/commands/measure-and-keep.ts";
import { readResult } from "../src/results/files.ts";

const fake = fileURLToPath(new URL("fixtures/fake-driver.mjs", import.meta.url));
const chosen = selectCases(["train/lenet5-b32", "predict/lenet5-b1"]);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function options(plan: object, more: Partial<KeepOptions> = {}): KeepOptions {
  const good = { params: 61_706, losses: [2.3, 2.2], outputs: [0.1, 0.9], times: [4, 5, 6], peakMemory: 5e8 };
  return {
    threads: 1,
    rounds: 1,
    seconds: 0.1,
    samples: 3,
    systems: ["convkit", "tfjs-node"],
    python: undefined,
    scope: "selected",
    folder,
    command: () => ({ file: process.execPath, args: [fake, JSON.stringify({ ...good, ...plan })] }),
    ...more,
  };
}

const written = () => readdirSync(folder).filter((file) => file.endsWith(".json"));

it("an interrupted run keeps what it has, and goes on from there", async () => {
  const stop = new AbortController();
  const onProgress = (line: string) => {
    if (line.startsWith("predict/lenet5-b1: ")) setTimeout(() => stop.abort(), 300);
  };
  const stopped = await measureAndKeep(chosen, options({ hangAt: "predict" }, { signal: stop.signal, onProgress }));
  expect(stopped.complete).toBe(false);
  const [file] = written();
  const path = join(folder, file!);
  expect(readResult(path)).toEqual(stopped);
  expect(stopped.rows.map(({ case: name, status }) => [name, status])).toEqual([
    ["train/lenet5-b32", "ok"],
    ["train/lenet5-b32", "ok"],
    ["predict/lenet5-b1", "not run"],
    ["predict/lenet5-b1", "not run"],
  ]);

  const lines: string[] = [];
  const whole = await measureAndKeep(chosen, options({}, { resume: path, onProgress: (line) => lines.push(line) }));
  expect(whole.complete).toBe(true);
  expect(whole.rows.every(({ status }) => status === "ok")).toBe(true);
  expect(lines.filter((line) => line.startsWith("train/"))).toEqual([]);
  expect(lines.at(-1)).toMatch(/^Wrote .*\.json, .*\.csv/);
});

it.each([
  ["threads", { threads: 2 }, "threads 1, this run's is 2"],
  ["scope", { scope: "full" }, 'scope "selected", this run\'s is "full"'],
] as const)("does not go on with a result of other %s", async (_, more, message) => {
  await measureAndKeep(chosen.slice(0, 1), options({}));
  const path = join(folder, written()[0]!);
  await expect(measureAndKeep(chosen, options({}, { resume: path, ...more }))).rejects.toThrow(
    `${path} cannot resume: it was measured under other conditions: ${message}.`,
  );
  const elsewhere = { ...readResult(path), commit: "0123456789", machine: { ...readResult(path).machine, cores: 99 } };
  writeFileSync(path, JSON.stringify(elsewhere));
  await expect(measureAndKeep(chosen, options({}, { resume: path }))).rejects.toThrow(
    /conditions: machine .*; commit /,
  );
});

it("says that the folder cannot be written to before anything is measured", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const lines: string[] = [];
  const run = measureAndKeep(chosen, options({}, { folder: file, onProgress: (line) => lines.push(line) }));
  await expect(run).rejects.toThrow(`Nothing can be written to ${file}: `);
  expect(lines).toEqual([]);
});

it("a run that is stopped before its first case says so, and writes nothing", async () => {
  const stop = AbortSignal.abort();
  await expect(measureAndKeep(chosen, options({}, { signal: stop }))).rejects.toThrow("Nothing was measured");
  expect(written()).toEqual([]);
});
