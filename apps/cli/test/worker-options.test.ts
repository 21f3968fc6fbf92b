import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { options } from "../src/commands/train.ts";
import { flagOf } from "../src/terminal/option.ts";
import { call } from "./run-cli.ts";

const page = readFileSync(new URL("../../../docs/guides/several-machines.md", import.meta.url), "utf8");

test("the page on several machines tells of every option of train, each once", () => {
  const tables = page.split("\n").filter((line) => line.startsWith("| `--"));
  const told = tables.flatMap((line) => line.split("|")[1]!.match(/--[a-z-]+/g)!);
  const starting = new Set(["replicas", "restarts"]);
  const names = Object.keys(options).filter((name) => !starting.has(name));
  const known = [...names, "seed", "threads"].map((name) => flagOf(name));
  expect(told.toSorted()).toEqual(known.toSorted());
  for (const name of starting) expect(page).toContain(flagOf(name));
});

test.each([
  [["--folds", "3"], "--folds trains one fold after the other in one process"],
  [["--recipe", "fine-tune"], "--recipe fine-tune has several trainings"],
  [["--validation-runtime", "auto"], "--validation-runtime validates in one process"],
  [["--plan", '{"swa": {"start": 1}}'], "swa of the plan gathers its mean in one process: ema works in all"],
  [
    ["--plan", '{"loss": {"name": "mse", "reduction": "sum"}}'],
    "the loss must be a mean over the images, not their sum",
  ],
  [["--plan", '{"accumulate": 2}', "--health", "5"], "--health measures each worker's own gradients where accumulate"],
  [["--engine", "wasm"], "--engine wasm computes in one process: use native"],
  [["--engine", "webgpu"], "--engine webgpu computes in one process: use native"],
])("%j is refused with several workers", async (given, sentence) => {
  const { status, err } = await call(
    "train",
    "lenet5",
    "--data",
    "never",
    "--epochs",
    "1",
    "--out",
    "never",
    "--replicas",
    "2",
    ...given,
  );
  expect([status, err]).toEqual([2, expect.stringContaining(`Several workers cannot train so: ${sentence}`)]);
  expect(err.trim().split("\n")).toHaveLength(1);
});
