import { availableEngines } from "@convkit/engine";
import { expect, test } from "vitest";
import { campaign } from "../src/hostile/campaign.ts";
import { subjects } from "../src/hostile/subjects.ts";

// What reads many files gets more of them.
const counts: Readonly<Record<string, number>> = {
  run: 25,
  "tuned-run": 8,
  "targets-run": 6,
  folds: 6,
  search: 10,
  arguments: 30,
  "saved-model": 20,
};
const tasksOf = (names: readonly string[]) => names.map((name) => ({ name, from: 0, count: counts[name] ?? 20 }));
const native = ["saved-model"];

test("damaged files and strange command lines are read rightly, or refused by a typed error that names them", async () => {
  const names = subjects.map(({ name }) => name).filter((name) => !native.includes(name));
  const { counts, findings, problem } = await campaign(tasksOf(names), { seed: 17 });
  expect([findings, problem]).toEqual([[], undefined]);
  // The mutants are real: every reader refuses some.
  for (const name of names) expect([name, counts[name]?.refused]).toEqual([name, expect.any(Number)]);
  expect(counts["run"]?.read).toBeGreaterThan(0);
});

test.skipIf(!(await availableEngines()).includes("native"))("damaged SavedModels never end the process", async () => {
  const { counts, findings, problem } = await campaign(tasksOf(native), { seed: 17 });
  expect([findings, problem]).toEqual([[], undefined]);
  expect(counts["saved-model"]?.refused).toBeGreaterThan(3);
});
