import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type SearchOptions, searchSettings, type SearchTrial } from "../src/index.ts";

const space = {
  "optimizer.learningRate": { from: 1e-4, to: 1e-1, log: true },
  batch: [16, 32],
  accumulate: { from: 1, to: 3, whole: true },
} as const;

/** Trial 4 fails; the others reach the distance of their rate from 0.01, less with more epochs. */
function searching(calls: string[], more: Partial<SearchOptions> = {}): SearchOptions {
  return {
    space,
    trials: 9,
    epochs: 9,
    seed: 3,
    run: async ({ trial, settings, epochs }) => {
      calls.push(`${trial}:${epochs}`);
      if (trial === 4) throw new Error("out of memory");
      return Math.abs(Math.log10(settings["optimizer.learningRate"] as number) + 2) / epochs;
    },
    ...more,
  };
}

test("draws each range evenly, and the same for the same seed", async () => {
  const found = await searchSettings(searching([], { trials: 300, epochs: 1 }));
  const again = await searchSettings(searching([], { trials: 300, epochs: 1 }));
  expect(again).toEqual(found);
  const logs = found.map(({ settings }) => Math.log10(settings["optimizer.learningRate"] as number));
  // Evenly from -4 to -1: a mean of -2.5 with a deviation of 0.87 / sqrt(300).
  expect(logs.reduce((sum, each) => sum + each, 0) / 300).toBeCloseTo(-2.5, 0);
  expect(Math.min(...logs)).toBeGreaterThanOrEqual(-4);
  expect(Math.max(...logs)).toBeLessThanOrEqual(-1);
  const count = (path: string, value: number) => found.filter(({ settings }) => settings[path] === value).length;
  for (const value of [1, 2, 3]) expect(Math.abs(count("accumulate", value) - 100)).toBeLessThan(33);
  expect(Math.abs(count("batch", 16) - 150)).toBeLessThan(35);
  expect(count("batch", 16) + count("batch", 32)).toBe(300);
});

test("halving trains nine for one epoch, three for three and one for nine; a failed trial is told last", async () => {
  const calls: string[] = [];
  const found = await searchSettings(searching(calls, { method: "halving" }));
  const distance = ({ settings }: SearchTrial) =>
    Math.abs(Math.log10(settings["optimizer.learningRate"] as number) + 2);
  const order = found
    .filter(({ trial }) => trial !== 4)
    .toSorted((a, b) => distance(a) - distance(b))
    .map(({ trial }) => trial);
  expect(calls.slice(0, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((trial) => `${trial}:1`));
  expect(calls.slice(9)).toEqual([...order.slice(0, 3).map((trial) => `${trial}:3`), `${order[0]}:9`]);
  expect(found.map(({ trial }) => trial)).toEqual([...order, 4]);
  expect(found.at(-1)).toMatchObject({ trial: 4, error: "out of memory" });
});

test.each(["random", "halving"] as const)("%s: three at once find what one after the other finds", async (method) => {
  const alone = await searchSettings(searching([], { method }));
  let [running, most, telling] = [0, 0, 0];
  const told: number[] = [];
  const { run, ...options } = searching([], { method, parallel: 3 });
  const found = await searchSettings({
    ...options,
    async run(trial) {
      most = Math.max(most, (running += 1));
      // Later trials end first.
      await sleep(5 * (9 - trial.trial));
      return run(trial).finally(() => (running -= 1));
    },
    async onTrial(trials) {
      expect((telling += 1)).toBe(1);
      await sleep(7);
      told.push(trials.length);
      telling -= 1;
    },
  });
  expect([found, most]).toEqual([alone, 3]);
  expect(told.slice(0, 9)).toEqual(told.slice(0, 9).toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(9);
});

test("a failure to keep the trials ends a search once those under way have ended", async () => {
  const calls: string[] = [];
  const onTrial = (): Promise<void> => Promise.reject(new Error("disk full"));
  await expect(searchSettings(searching(calls, { parallel: 2, onTrial }))).rejects.toThrow("disk full");
  expect(calls).toEqual(["1:9", "2:9"]);
});

test("a search that was stopped anywhere goes on to the same end", async () => {
  const whole = await searchSettings(searching([], { method: "halving" }));
  for (const stopAfter of [1, 5, 9, 10, 12]) {
    const stop = new AbortController();
    let done: readonly SearchTrial[] = [];
    const calls: string[] = [];
    const kept = { onTrial: async (trials: readonly SearchTrial[]) => void (done = trials) };
    const first = searching(calls, { method: "halving", signal: stop.signal, ...kept });
    const { run } = first;
    await searchSettings({ ...first, run: (trial) => (calls.length === stopAfter && stop.abort(), run(trial)) });
    const rest: string[] = [];
    expect(await searchSettings(searching(rest, { method: "halving", done }))).toEqual(whole);
    // The interrupted training alone is made twice.
    expect(calls.length + rest.length, `stopped after ${stopAfter}`).toBe(14);
  }
});

test("refuses what cannot be searched", async () => {
  const refused = (more: object) => expect(searchSettings(searching([], more))).rejects;
  await refused({ space: {} }).toThrow(/at least one setting/);
  await refused({ trials: 1e9 }).toThrow(/^trials must be a whole number from 1 to 100000, not 1000000000\.$/);
  await refused({ space: { batch: [] } }).toThrow(/The search's batch must be a list of values/);
  await refused({ space: { batch: { from: 0, to: 1, log: true } } }).toThrow(/above 0 with log/);
  await refused({ trials: 0 }).toThrow(/trials must be a whole number from 1/);
  await refused({ method: "grid" }).toThrow(/method must be one of random, halving/);
});
