import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-teacher-"));

test(`train --teacher learns the softened classes of a trained model (${engines[0]})`, async () => {
  const data = await colorFolder(join(folder, "colors"), ["blue", "red"], 6);
  const [first, out] = [join(folder, "first"), join(folder, "out")];
  const shared = ["--data", data, "--epochs", "1", "--batch", "4", "--json"];
  const lenet = ["train", "lenet5", "--input", "28x28x3", ...shared];
  const taught = await call(...lenet, "--out", first);
  expect(taught.status, taught.err).toBe(0);
  const lossOf = (said: { out: string }) => (JSON.parse(said.out) as { final: { loss: number } }).final.loss;
  expect(lossOf(taught)).toBeGreaterThan(0.01);

  // The student begins as its teacher and hardly moves, so the divergence of one from the other is 0.
  const plan = JSON.stringify({ distill: { teacher: first, share: 1, temperature: 2 } });
  const said = await call("train", first, ...shared, "--plan", plan, "--lr", "1e-9", "--out", out);
  expect(said.status, said.err).toBe(0);
  expect(Math.abs(lossOf(said))).toBeLessThan(1e-5);
  const { plan: stored } = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as { plan: object };
  expect(stored).toMatchObject({ distill: { teacher: first, share: 1, temperature: 2 } });

  const byOption = await call(
    "train",
    first,
    ...shared,
    "--teacher",
    first,
    "--lr",
    "1e-9",
    "--out",
    join(folder, "third"),
  );
  expect(byOption.status, byOption.err).toBe(0);
  // Half of the loss is that of the labels.
  const again = await call("train", first, ...shared, "--lr", "1e-9", "--out", join(folder, "fourth"));
  expect(lossOf(byOption)).toBeCloseTo(lossOf(again) / 2, 5);

  const gone = await call(...lenet, "--teacher", join(folder, "gone"));
  expect([gone.status, gone.err]).toEqual([2, expect.stringMatching(/--teacher must be a trained model/)]);
});
