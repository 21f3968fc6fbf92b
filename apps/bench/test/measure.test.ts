import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Case, selectCases } from "../src/cases/cases.ts";
import { groupCases, measureCases, type MeasureOptions } from "../src/measure/measure.ts";
import type { ProfileSummary } from "../src/profile/summary.ts";
import type { Row } from "../src/results/result.ts";
import type { SystemName } from "../src/cases/systems.ts";

interface Plan {
  params?: number;
  losses?: number[];
  outputs?: number[];
  times?: number[];
  peakMemory?: number;
  crashAt?: string;
  /** Only for this batch. */
  crashFor?: number;
  hangAt?: string;
  garbageAt?: string;
  refuseAt?: string;
  profile?: ProfileSummary;
}

const fake = fileURLToPath(new URL("fixtures/fake-driver.mjs", import.meta.url));
const good: Plan = { params: 61_706, losses: [2.3, 2.2], times: [4, 5, 6], peakMemory: 5e8 };
const training = selectCases(["*/lenet5-b32"]).filter(({ work }) => work.do === "train");
const stepOnly = selectCases(["train/lenet5-b32"]);

/** Measures with fake systems; those without a plan are not installed. */
async function measured(
  plans: Partial<Record<SystemName, Plan>>,
  cases: readonly Case[] = training,
  options: Partial<MeasureOptions> = {},
): Promise<Row[]> {
  const rows = new Map<string, Row>();
  const all = measureCases(cases, {
    threads: 1,
    rounds: 2,
    seconds: 0.1,
    samples: 3,
    systems: ["convkit", "keras", "tfjs-node"],
    python: undefined,
    command: (system) => plans[system] && { file: process.execPath, args: [fake, JSON.stringify(plans[system])] },
    ...options,
  });
  for await (const part of all) for (const row of part.rows) rows.set(`${row.case} ${row.system}`, row);
  return [...rows.values()];
}

const find = (rows: readonly Row[], system: SystemName, name = "train/lenet5-b32") =>
  rows.find((row) => row.system === system && row.case === name)!;

describe("measureCases", () => {
  it("reads steps, first step and memory of a case from the same processes, over all rounds", async () => {
    const rows = await measured({ keras: good, convkit: { ...good, times: [3, 3, 4] } });
    expect(find(rows, "convkit")).toMatchObject({ status: "ok", variant: "compiled", median: 3, samples: 6 });
    expect(find(rows, "keras")).toMatchObject({ status: "ok", variant: "fit", median: 5, samples: 6 });
    expect(find(rows, "convkit", "first-step/lenet5-b32")).toMatchObject({ median: 12, unit: "ms", samples: 2 });
    expect(find(rows, "convkit", "memory/lenet5-b32")).toMatchObject({ median: 500, unit: "MB" });
  });

  it("a system that is not installed says so", async () => {
    const rows = await measured({ convkit: good });
    expect(find(rows, "keras")).toMatchObject({
      status: "not installed",
      median: null,
      note: "run `convkit-bench setup`",
    });
    expect(find(rows, "convkit").status).toBe("ok");
  });

  it.each([
    [
      "crashes at its start",
      { crashAt: "hello" },
      "its process ended with status 139: Segmentation fault in the fake system",
    ],
    [
      "crashes while it prepares",
      { crashAt: "train" },
      "its process ended with status 139: Segmentation fault in the fake system",
    ],
    [
      "crashes while it is timed",
      { crashAt: "measure" },
      "its process ended with status 139: Segmentation fault in the fake system",
    ],
    ["refuses", { refuseAt: "train" }, "no such network"],
    [
      "talks on standard output",
      { garbageAt: "train" },
      'it answered "Hello from a library" where a line of JSON was expected',
    ],
  ])("a system that %s has it in its row, and the others go on", async (_, fault, note) => {
    const rows = await measured({ keras: { ...good, ...fault }, convkit: good, "tfjs-node": good });
    expect(find(rows, "keras")).toMatchObject({ status: "failed", median: null, note });
    expect(find(rows, "convkit")).toMatchObject({ status: "ok", samples: 6 });
    expect(find(rows, "tfjs-node")).toMatchObject({ status: "ok", samples: 6 });
  });

  it.each([
    ["parameters", { params: 61_707 }, "it has 61707 parameters, the network has 61706"],
    ["first loss", { losses: [2.31, 2.2] }, "its loss of step 1 is 2.31, the reference's is 2.3"],
    ["second loss", { losses: [2.3, 2.3] }, "its loss of step 2 is 2.3, the reference's is 2.2"],
    ["losses", { losses: [] }, "its loss of step 1 is undefined, the reference's is 2.3"],
  ])("a system with other %s is not timed", async (_, fault, note) => {
    const rows = await measured({ keras: good, convkit: { ...good, ...fault } });
    expect(find(rows, "convkit")).toMatchObject({ status: "differs", median: null, samples: 0, note });
    expect(find(rows, "keras").status).toBe("ok");
  });

  it.each([
    ["other losses", { losses: [2.4, 2.3] }, "its loss of step 1 is 2.4, the reference's is 2.3"],
    ["another network", { params: 61_707 }, "it has 61707 parameters, the network has 61706"],
    ["no numbers", { losses: [null, null] }, "its loss of step 1 is null, the reference's is null"],
  ])("a reference of %s is outvoted: its row says so, and the others are timed", async (_, fault, note) => {
    for (const rounds of [1, 2]) {
      const plans = { keras: { ...good, ...fault }, torch: good, "tfjs-node": good, convkit: good } as never;
      const rows = await measured(plans, training, { rounds, systems: ["keras", "torch", "tfjs-node", "convkit"] });
      expect(find(rows, "keras")).toMatchObject({ status: "differs", median: null, samples: 0, note });
      expect(find(rows, "keras", "memory/lenet5-b32")).toMatchObject({ status: "differs", median: null });
      for (const system of ["torch", "tfjs-node", "convkit"] as const) {
        expect(find(rows, system)).toMatchObject({ status: "ok", samples: 3 * rounds, note: "" });
        expect(find(rows, system, "memory/lenet5-b32")).toMatchObject({ status: "ok", samples: rounds });
      }
    }
  });

  it("who is half behind the fastest peer is not run again, but convkit is", async () => {
    const slow = { ...good, times: [9, 9, 9] };
    const rows = await measured({ keras: good, convkit: slow, "tfjs-node": slow }, stepOnly);
    expect(rows.map(({ system, samples }) => [system, samples])).toEqual([
      ["keras", 6],
      ["tfjs-node", 3],
      ["convkit", 6],
    ]);
  });

  it("begins no round that would not end in its minutes", async () => {
    const rows = await measured({ keras: good, convkit: good }, stepOnly, { minutes: 1e-4 });
    expect(find(rows, "keras").samples).toBe(3);
    expect(find(rows, "convkit").samples).toBe(3);
  });

  it("a system that cannot do a case is not started, and its row says why", async () => {
    const cannot = { "tfjs-node": "it has no such layer" };
    const cases = stepOnly.map((each) => ({ ...each, cannot }));
    const rows = await measured({ keras: good, "tfjs-node": { crashAt: "hello" } }, cases);
    expect(find(rows, "tfjs-node")).toMatchObject({ status: "cannot", median: null, note: "it has no such layer" });
  });

  it("keeps a profile of convkit's compiled step", async () => {
    const profile = { wallMs: 4, idle: 0.1, ops: [{ op: "Conv2D", count: 1, ms: 3, share: 1 }] };
    const rows = await measured({ keras: good, convkit: { ...good, profile } });
    expect(find(rows, "convkit").profile).toEqual(profile);
    expect(find(rows, "convkit", "memory/lenet5-b32").profile).toBeUndefined();
    expect(find(rows, "keras").profile).toBeUndefined();
  });

  it("a profile that fails costs no numbers", async () => {
    const rows = await measured({ keras: good, convkit: { ...good, crashAt: "profile" } }, stepOnly, { rounds: 1 });
    expect(find(rows, "convkit")).toMatchObject({ status: "ok", samples: 3 });
    expect(find(rows, "convkit").profile).toBeUndefined();
  });

  it("a crash in one of several predictions fails that one alone", async () => {
    const predictions = selectCases(["predict/lenet5-b1", "predict/lenet5-b8"]);
    const plan = { ...good, outputs: [0.5], crashAt: "predict", crashFor: 1 };
    const rows = await measured({ keras: { ...good, outputs: [0.5] }, convkit: plan }, predictions);
    expect(find(rows, "convkit", "predict/lenet5-b1").status).toBe("failed");
    expect(find(rows, "convkit", "predict/lenet5-b8")).toMatchObject({ status: "ok", samples: 6 });
  });

  it("nobody is dropped for being behind bfloat16", async () => {
    const rows = await measured({ keras: good, "convkit-bf16": { ...good, times: [1, 1, 1] } }, stepOnly, {
      systems: ["keras", "convkit-bf16"],
    });
    expect(find(rows, "keras").samples).toBe(6);
  });

  it("a case leaves variants out, and bounds its rounds", async () => {
    const bounded = stepOnly.map((each) => ({ ...each, without: ["xla", "steps_per_execution"], rounds: 1 }));
    const rows = await measured({ keras: good, convkit: good }, bounded);
    expect(find(rows, "keras")).toMatchObject({ samples: 3, peakMB: 500 });
    expect(find(rows, "keras").variants.map(({ variant }) => variant)).toEqual(["fit"]);
  });

  it("an interrupted run keeps what it has", async () => {
    const stop = new AbortController();
    const onProgress = (line: string) => {
      if (line.includes("convkit compiled")) setTimeout(() => stop.abort(), 300);
    };
    const plans = { keras: good, convkit: { ...good, hangAt: "measure" } };
    const rows = await measured(plans, [...stepOnly, ...selectCases(["predict/lenet5-b1"])], {
      signal: stop.signal,
      onProgress,
    });
    expect(find(rows, "keras")).toMatchObject({ status: "ok", samples: 3 });
    expect(find(rows, "convkit")).toMatchObject({ status: "not run", median: null });
    expect(rows.every((row) => row.case === "train/lenet5-b32")).toBe(true);
  });
});

describe("groupCases", () => {
  it("puts the readings of one work together, and predictions by the size of the network", () => {
    const groups = groupCases(
      selectCases([
        "*lenet5*",
        "predict/simple-cnn-b8",
        "predict/resnet50-b1",
        "predict/googlenet-b1",
        "predict/vgg16-b1",
      ]),
    ).map((group) => group.map(({ name }) => name));
    expect(groups).toContainEqual(["train/lenet5-b32", "first-step/lenet5-b32", "memory/lenet5-b32"]);
    expect(groups).toContainEqual([
      "predict/lenet5-b1",
      "predict/lenet5-b8",
      "predict/lenet5-b32",
      "predict/simple-cnn-b8",
    ]);
    expect(groups).toContainEqual(["predict/resnet50-b1", "predict/googlenet-b1"]);
    expect(groups).toContainEqual(["predict/vgg16-b1"]);
  });
});
