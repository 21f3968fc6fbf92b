import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseSchedule, type Schedule, scheduleFactor } from "../src/index.ts";

interface Case {
  readonly schedule: Schedule;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  readonly steps: number[];
  readonly values: number[];
}

const golden = JSON.parse(readFileSync(new URL("golden/numbers.json", import.meta.url), "utf8")) as {
  schedules: Case[];
};

describe("schedules equal Keras' and PyTorch's", () => {
  test.each(
    golden.schedules.map((each) => {
      const { schedule, epochs = 10, stepsPerEpoch = 10 } = each;
      return [`${JSON.stringify(schedule)} over ${epochs} epochs of ${stepsPerEpoch} steps`, each] as const;
    }),
  )("%s", (_title, { schedule, steps, values, epochs = 10, stepsPerEpoch = 10 }) => {
    steps.forEach((step, i) => {
      expect(scheduleFactor(schedule, { step, stepsPerEpoch, epochs }), `step ${step}`).toBeCloseTo(values[i]!, 5);
    });
  });
});

test("a step schedule falls every so many epochs", () => {
  const schedule: Schedule = { name: "step", every: 2, factor: 0.5 };
  const rates = [0, 19, 20, 39, 40].map((step) => scheduleFactor(schedule, { step, stepsPerEpoch: 10, epochs: 10 }));
  expect(rates).toEqual([1, 1, 0.5, 0.5, 0.25]);
});

test("warm-up climbs straight from its start to the base rate", () => {
  const schedule: Schedule = { name: "constant", warmup: 2, warmupFrom: 0.1 };
  const rates = [0, 10, 20, 90].map((step) => scheduleFactor(schedule, { step, stepsPerEpoch: 10, epochs: 10 }));
  [0.1, 0.55, 1, 1].forEach((want, i) => expect(rates[i]).toBeCloseTo(want, 10));
});

describe("a schedule is read as typed", () => {
  test.each([
    ["cosine", { name: "cosine" }],
    ["cosine:warmup=5,min=0.01", { name: "cosine", warmup: 5, min: 0.01 }],
    ["step:at=30/60,factor=0.1", { name: "step", at: [30, 60], factor: 0.1 }],
    ["exponential:rate=0.9,staircase=true", { name: "exponential", rate: 0.9, staircase: true }],
  ])("%s", (text, schedule) => expect(parseSchedule(text)).toEqual(schedule));

  test.each([
    ["sine", /Unknown schedule "sine": known are constant, step/],
    ["cosine:warm=1", /"warm=1" must be one of warmup/],
    ["step:at=a", /"at=a" must be one of/],
    ["exponential", /needs its rate/],
  ])("%s is refused", (text, message) => expect(() => parseSchedule(text)).toThrow(message));
});
