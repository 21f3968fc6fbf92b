import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-folds-"));

interface Column {
  readonly mean: number;
  readonly deviation: number;
  readonly values: readonly number[];
}

test(`train --folds trains a run for each fold and ends with one table (${engines[0]})`, async () => {
  const data = await colorFolder(join(folder, "colors"), ["blue", "red"], 6);
  const out = join(folder, "cv");
  const args = ["train", "simple-cnn", "--data", data, "--input", "16x16x3", "--epochs", "1", "--batch", "4"];
  const said = await call(...args, "--folds", "2", "--sampling", "balanced", "--out", out, "--json");
  expect(said.status, said.err).toBe(0);
  const document = JSON.parse(said.out) as {
    folds: { run: string; final: { valLoss: number }; test: { images: number; loss: number } }[];
    statistics: Record<string, Column>;
  };
  expect(document.folds.map(({ run }) => run)).toEqual([1, 2].map((fold) => join(out, `fold-${fold}`)));
  const losses = document.folds.map(({ final }) => final.valLoss);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / 2;
  const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0));
  expect(document.statistics["val_loss"]!.values).toEqual(losses);
  expect(document.statistics["val_loss"]!.mean).toBeCloseTo(mean, 10);
  expect(document.statistics["val_loss"]!.deviation).toBeCloseTo(deviation, 10);
  expect(JSON.parse(readFileSync(join(out, "folds.json"), "utf8"))).toMatchObject({ statistics: document.statistics });
  // Each run knows its own fold: six of twelve images.
  const fold = ["evaluate", join(out, "fold-2"), "--data", data, "--split", "validation", "--json"];
  const judged = JSON.parse((await call(...fold)).out) as {
    count: number;
    loss: number;
    perClass: { support: number }[];
  };
  expect(judged.count).toBe(6);
  expect(judged.loss).toBeCloseTo(document.folds[1]!.test.loss, 5);

  // A fold that is missing is trained; the others stay.
  rmSync(join(out, "fold-2"), { recursive: true });
  const rest = await call("train", "--resume", out);
  expect(rest.status, rest.err).toBe(0);
  const line = (name: string, value: number) => new RegExp(`${name} +${value.toFixed(4)}`);
  expect(rest.out).toMatch(line("mean", mean));
  expect(rest.out).toMatch(line("deviation", deviation));
  const again = await call(...args, "--folds", "2", "--out", out);
  expect([again.status, again.err]).toEqual([2, expect.stringMatching(/has a run already: continue it with/)]);
});

test("bad folds are told, and leave nothing", async () => {
  const data = await colorFolder(join(folder, "few"), ["blue", "red"], 2);
  const out = join(folder, "none");
  const args = ["train", "simple-cnn", "--data", data, "--input", "16x16x3", "--epochs", "1", "--out", out];
  const many = await call(...args, "--folds", "3");
  expect([many.status, many.err]).toEqual([
    1,
    expect.stringMatching(/at most 2 images of a class, too few for 3 folds/),
  ]);
  expect(existsSync(out)).toBe(false);
  const both = await call(...args, "--folds", "2", "--validation", "0.5");
  expect([both.status, both.err]).toEqual([2, expect.stringMatching(/leave out --validation/)]);
});
