import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openCsv } from "../src/outputs/csv-file.ts";
import { printable, printableJson } from "../src/terminal/printable.ts";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-names-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Clears the screen, rings the bell, turns the writing, and does so again in the other form of control characters. */
const hostile = "red\u001B[2J\u0007\u202E\u009B31m";
const commands = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u;

test("control characters are shown, not sent", () => {
  expect(printable(`a\t${hostile}\n`)).toBe("a\tred\\u001b[2J\\u0007\\u202e\\u009b31m\n");
  const json = printableJson({ name: hostile });
  expect(json).not.toMatch(commands);
  expect(JSON.parse(json)).toEqual({ name: hostile });
});

test("a class, a file and a model with control characters in their names are used, and never reach the terminal", async () => {
  const data = await colorFolder(join(folder, "data"), ["blue", "red"], 6);
  renameSync(join(data, "red"), join(data, hostile));
  renameSync(join(data, hostile, "0.jpg"), join(data, hostile, "0\u001B]0;title\u0007.jpg"));
  const run = join(folder, "run");
  const common = ["--engine", "wasm", "--threads", "1"];
  const lines = [
    ["train", "lenet5", "--input", "16x16x3", "--data", data, "--validation", "0.5", "--epochs", "1", "--out", run],
    ["predict", run, data],
    ["predict", run, data, "--json"],
    ["evaluate", run, "--data", data],
    ["summary", `${hostile}-model`],
    ["predict", run, join(folder, hostile)],
  ];
  for (const line of lines) {
    const { status, out, err } = await call(...line, ...common);
    expect(status, err).toBe(line.some((word) => word.includes("\u001B")) ? 2 : 0);
    expect(out + err, line.join(" ")).not.toMatch(commands);
    expect(out + err).toContain(line.includes("train") ? "epoch 1/1" : "red\\u001b[2J\\u0007");
  }
  expect(JSON.parse(readFileSync(join(run, "config.json"), "utf8"))).toMatchObject({ classes: ["blue", hostile] });
});

test("a cell of a CSV that a spreadsheet would compute begins with an apostrophe", async () => {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "cells.csv");
  const csv = await openCsv(path, ["image", "index", "label"]);
  await csv.add([
    ["=1+1", -1, "+1"],
    ["-1.jpg", 1e-9, '@SUM(A1), "x"'],
    ["\t=1", 0, "a=1"],
  ]);
  await csv.done();
  expect(readFileSync(path, "utf8").trim().split("\n")).toEqual([
    "image,index,label",
    "'=1+1,-1,'+1",
    `'-1.jpg,1e-9,"'@SUM(A1), ""x"""`,
    "'\t=1,0,a=1",
  ]);
});
