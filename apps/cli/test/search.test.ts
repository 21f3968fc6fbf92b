import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimRunDirectory } from "@convkit/trainer";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call, spawned } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-search-"));
const out = join(folder, "found");

interface Trial {
  readonly trial: number;
  readonly value: number;
}

test(`search trains with drawn settings, and goes on only from a whole search.json (${engines[0]})`, async () => {
  const data = await colorFolder(join(folder, "colors"), ["blue", "red"], 6);
  const space = JSON.stringify({ "optimizer.learningRate": { from: 0.001, to: 0.1, log: true } });
  const args = ["simple-cnn", "--data", data, "--input", "16x16x3", "--epochs", "1", "--batch", "4"];
  const how = ["--validation", "0.5", "--space", space, "--trials", "2", "--json"];
  const said = await call("search", ...args, ...how, "--out", out);
  expect(said.status, said.err).toBe(0);
  const { trials } = JSON.parse(said.out) as { trials: Trial[] };
  // The value of a trial is its lowest validation loss, and the lowest comes first.
  const lowest = (trial: number) => {
    const [head, ...rows] = readFileSync(join(out, `trial-${trial}`, "history.csv"), "utf8")
      .trim()
      .split("\n");
    const column = head!.split(",").indexOf("val_loss");
    return Math.min(...rows.map((row) => Number(row.split(",")[column])));
  };
  for (const { trial, value } of trials) expect(value, `trial ${trial}`).toBeCloseTo(lowest(trial), 5);
  expect(trials.map(({ value }) => value)).toEqual(trials.map(({ value }) => value).toSorted((a, b) => a - b));

  // Another search in the folder is refused, and what was found stays.
  const file = join(out, "search.json");
  const whole = readFileSync(file, "utf8");
  const claim = await claimRunDirectory(out, { fresh: false });
  const second = await call("search", "--resume", out);
  await claim.release();
  expect([second.status, second.err]).toEqual([1, expect.stringMatching(/found is in use by another run/)]);
  expect(readFileSync(file, "utf8")).toBe(whole);

  // A trial that is missing is trained, and comes to the same.
  const stored = JSON.parse(whole) as { config: { plan: object }; done: Trial[] };
  const [first, last] = stored.done;
  rmSync(join(out, `trial-${last!.trial}`), { recursive: true });
  writeFileSync(file, JSON.stringify({ ...stored, done: [first] }));
  const rest = await call("search", "--resume", out, "--json");
  expect(rest.status, rest.err).toBe(0);
  expect((JSON.parse(rest.out) as { trials: Trial[] }).trials).toEqual(
    trials.map((trial) => ({ ...trial, value: expect.closeTo(trial.value, 5) as number })),
  );

  // Side by side, each in a process of its own, to the same table.
  const beside = join(folder, "beside");
  const both = await spawned(["search", ...args, ...how, "--out", beside, "--parallel", "2", "--threads", "1"]);
  expect(both.status, both.err).toBe(0);
  expect((JSON.parse(both.out) as { trials: Trial[] }).trials).toEqual(
    trials.map((trial) => ({ ...trial, value: expect.closeTo(trial.value, 5) as number })),
  );
  expect(both.err).toMatch(/trial 1 of 2[^]*trial 2 of 2[^]*trial \d: valLoss/);
  for (const trial of [1, 2])
    expect(JSON.parse(readFileSync(join(beside, `trial-${trial}`, "config.json"), "utf8"))).toMatchObject({
      threads: 1,
    });

  for (const [damage, message] of [
    [{ done: 1e9 }, /search\.done must be a list, each an object with trial, settings, epochs/],
    [{ done: [{ ...first, value: [] }] }, /search\.done must be a list/],
    [{ trials: -1 }, /search\.trials must be a whole number from 1/],
    [{ space: { batch: [] } }, /batch must be a list of values/],
    [{ config: { ...stored.config, plan: { ...stored.config.plan, optimizer: null } } }, /plan\.optimizer must be/],
  ] as const) {
    writeFileSync(file, JSON.stringify({ ...stored, ...damage }));
    const { status, err } = await call("search", "--resume", out);
    expect([status, err]).toEqual([1, expect.stringMatching(/search\.json is damaged: /)]);
    expect(err).toMatch(message);
  }
  writeFileSync(file, whole.slice(0, 100));
  const cut = await call("search", "--resume", out);
  expect([cut.status, cut.err]).toEqual([1, expect.stringContaining(file)]);
  expect(existsSync(join(out, ".lock"))).toBe(false);
});
