import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engines } from "@convkit/testing";
import { saveNpy } from "@convkit/weights";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readNpy } from "../src/outputs/npy.ts";
import { call, spawned } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-train-"));
const out = join(folder, "run");

describe(`a small training (${engines[0]})`, () => {
  let document: Record<string, unknown>;

  beforeAll(async () => {
    const said = await call(
      "train",
      "lenet5-mnist",
      "--limit",
      "320",
      "--epochs",
      "2",
      "--health",
      "5",
      "--out",
      out,
      "--json",
    );
    const events = said.err
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(["note", "epoch", "epoch"]);
    expect(said.status, said.err).toBe(0);
    document = JSON.parse(said.out) as Record<string, unknown>;
  });

  test("prints one JSON document", () => {
    expect(document).toMatchObject({
      run: out,
      epochs: 2,
      best: { epoch: 2 },
      final: {
        loss: expect.any(Number),
        accuracy: expect.any(Number),
        valLoss: expect.any(Number),
        valAccuracy: expect.any(Number),
      },
      test: { images: 320, loss: expect.any(Number), accuracy: expect.any(Number) },
      seconds: expect.any(Number),
      interrupted: false,
    });
  });

  test.each([
    "config.json",
    "history.csv",
    "metrics.json",
    "model/model.json",
    "tensorboard/train",
    "checkpoints",
    "report.html",
  ])("leaves %s in the run directory", (name) => {
    expect(existsSync(join(out, name))).toBe(true);
  });

  test("health tells what was measured, and draws it", async () => {
    const page = join(folder, "health.svg");
    const { status, out: said, err } = await call("health", out, "--out", page, "--json");
    expect(status, err).toBe(0);
    const [{ records }] = JSON.parse(said) as [
      { records: { step: number; weights: { name: string; updateRatio: number }[] }[] },
    ];
    expect(records[0]!.step).toBe(1);
    expect(records[1]!.step).toBe(6);
    expect(records[0]!.weights[0]!.name).toBe("conv1/kernel");
    expect(records[0]!.weights[0]!.updateRatio).toBeGreaterThan(0);
    expect(readFileSync(page, "utf8")).toContain("layer with weights");
    expect((await call("health", folder)).err).toMatch(/has no health\.json: give run directories/);
  });

  test("calibration finds a temperature on other images and stores it", async () => {
    const [page, cool] = [join(folder, "calibration.html"), join(folder, "cool.keras")];
    const common = ["--data", "mnist", "--limit", "320", "--json"];
    const found = await call("calibration", out, ...common, "--fit", "--out", page, "--write", cool);
    expect(found.status, found.err).toBe(0);
    const first = JSON.parse(found.out) as Record<"before" | "after", { ece: number; nll: number; accuracy: number }>;
    const evaluated = JSON.parse((await call("evaluate", out, ...common)).out) as { accuracy: number; loss: number };
    expect(first.before.accuracy).toBeCloseTo(evaluated.accuracy, 9);
    expect(first.before.nll).toBeCloseTo(evaluated.loss, 4);
    expect(readFileSync(page, "utf8")).toContain("Reliability diagram");
    const again = JSON.parse((await call("calibration", cool, ...common)).out) as typeof first;
    expect(again.before.ece).toBeCloseTo(first.after.ece, 4);
    expect(again.before.nll).toBeCloseTo(first.after.nll, 4);
  });

  test("robustness tells accuracy on corrupted images, by class and by confidence", async () => {
    const common = ["--data", "mnist", "--limit", "64", "--json"];
    const page = join(folder, "robustness.html");
    const found = await call(
      "robustness",
      out,
      ...common,
      "--kinds",
      "jpeg,contrast",
      "--severities",
      "1",
      "--out",
      page,
    );
    expect(found.status, found.err).toBe(0);
    const told = JSON.parse(found.out) as {
      clean: number;
      results: { kind: string; accuracy: number }[];
      slices: { byConfidence: { images: number; accuracy: number | null }[] };
    };
    const evaluated = JSON.parse((await call("evaluate", out, ...common)).out) as { accuracy: number };
    expect(told.clean).toBeCloseTo(evaluated.accuracy, 9);
    expect(told.results.map(({ kind }) => kind)).toEqual(["jpeg", "contrast"]);
    const sliced = told.slices.byConfidence.map(({ images, accuracy }) => images * (accuracy ?? 0));
    expect(sliced.reduce((sum, right) => sum + right, 0) / 64).toBeCloseTo(told.clean, 9);
    expect(readFileSync(page, "utf8")).toContain("By confidence");
    expect((await call("robustness", out, ...common, "--kinds", "rain")).err).toMatch(/Unknown corruption "rain"/);
    expect((await call("robustness", out, ...common, "--kinds", "frost")).err).toMatch(/frost needs photographs/);
  });

  test("the report needs nothing from elsewhere", () => {
    const page = readFileSync(join(out, "report.html"), "utf8");
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    for (const heading of [
      "Loss",
      "Accuracy",
      "Confusion matrix",
      "Worst mistakes",
      "Learning rate",
      "Where the time went",
      "Environment",
    ])
      expect(page).toContain(`<h2>${heading}</h2>`);
  });

  test("a second run does not overwrite it", async () => {
    const { status, err } = await call("train", "lenet5-mnist", "--limit", "320", "--epochs", "1", "--out", out);
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(/already holds a run: give another --out, or continue it with --resume/),
    ]);
  });

  test("goes on with --resume", async () => {
    const { status, out: text } = await call("train", "--resume", out, "--epochs", "3", "--json", "--quiet");
    expect(status).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ epochs: 3, best: { epoch: 3 } });
    expect(readFileSync(join(out, "history.csv"), "utf8").trim().split("\n")).toHaveLength(4);
  });

  test.each([
    ["--lr", "0.5"],
    ["--batch", "8"],
    ["--data", "fashion-mnist"],
    ["--precision", "bfloat16"],
    ["--schedule", "cosine"],
    ["--plan", '{"ema": 0.9}'],
    ["--seed", "77"],
    ["--weights", "imagenet"],
    ["--data-from", folder],
    ["--keep-best", "2"],
    ["--out", join(folder, "elsewhere")],
  ])("%s %s cannot change with --resume", async (option, value) => {
    const { status, err } = await call("train", "--resume", out, option, value);
    expect([status, err]).toEqual([2, expect.stringContaining(`${option} cannot change when a run goes on`)]);
  });

  test("what the run was begun with may be said again with --resume", async () => {
    const same = ["lenet5-mnist", "--limit", "320", "--data", "mnist", "--batch", "32", "--out", out];
    const { status, err } = await call("train", ...same, "--resume", out, "--epochs", "3", "--json", "--quiet");
    expect([status, err]).toEqual([0, ""]);
  });

  test("evaluate tells loss, accuracy, top-5, each class and the confusion matrix", async () => {
    const { out: text } = await call("evaluate", out, "--data", "mnist", "--limit", "200", "--json");
    const result = JSON.parse(text) as {
      count: number;
      perClass: unknown[];
      confusion: number[][];
      accuracy: number;
      top5: number;
    };
    expect(result.count).toBe(200);
    expect(result.perClass).toHaveLength(10);
    expect(result.confusion.flat().reduce((a, b) => a + b)).toBe(200);
    expect(result.top5).toBeGreaterThanOrEqual(result.accuracy);
  });

  test("predict names the classes of an image file, run gives the same numbers raw", async () => {
    const image = join(folder, "digit.png");
    const pixels = Uint8Array.from({ length: 784 }, (_, i) => (i * 7) % 256);
    await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toFile(image);
    const predicted = JSON.parse((await call("predict", out, image, "--top", "10", "--json")).out) as {
      image: string;
      predictions: { index: number; label: string; probability: number }[];
    }[];
    expect(predicted[0]!.image).toBe(image);
    expect(predicted[0]!.predictions).toHaveLength(10);
    const [x, y] = [join(folder, "x.npy"), join(folder, "y.npy")];
    await saveNpy(x, { shape: [1, 28, 28, 1], data: Float32Array.from(pixels, (value) => value / 255) });
    const run = await call("run", out, "--input", x, "--output", y, "--json");
    expect(JSON.parse(run.out)).toEqual({ shape: [1, 10], seconds: expect.any(Number) });
    const raw = (await readNpy(y)).data;
    for (const { index, label, probability } of predicted[0]!.predictions) {
      expect(label).toBe(String(index));
      expect(raw[index]).toBeCloseTo(probability, 5);
    }
  });
});

test("--plan gives what has no option of its own, and config.json keeps it", async () => {
  const run = join(folder, "planned");
  const plan = {
    loss: { name: "focal", labelSmoothing: 0.1 },
    optimizer: { name: "adamw", learningRate: 0.002, weightDecay: 0.01, globalClipNorm: 1 },
    augment: { rotation: 0.05, mixup: 0.2 },
    classWeights: "balanced",
    ema: 0.9,
    accumulate: 2,
    reduceOnPlateau: { patience: 1 },
  };
  const args = ["--limit", "320", "--epochs", "2", "--plan", JSON.stringify(plan), "--out", run, "--json", "--quiet"];
  const said = await call("train", "lenet5-mnist", ...args);
  expect([said.status, said.err]).toEqual([0, ""]);
  expect(JSON.parse(said.out)).toMatchObject({ epochs: 2, final: { loss: expect.any(Number) } });
  expect(JSON.parse(readFileSync(join(run, "config.json"), "utf8"))).toMatchObject({ plan });
});

test("Ctrl-C ends the step, leaves a loadable model and a resumable run, with status 130", async () => {
  const run = join(folder, "interrupted");
  const said = await spawned(["train", "lenet5-mnist", "--limit", "2000", "--epochs", "500", "--out", run], {
    meanwhile(child, err) {
      if (err.includes("epoch 1/500") && !child.killed) child.kill("SIGINT");
    },
  });
  expect(said.status, said.err).toBe(130);
  expect(said.out).toMatch(/Interrupted after \d+ steps; continue with convkit train --resume/);
  expect((await call("summary", run, "--json")).status).toBe(0);
  expect(existsSync(join(run, "checkpoints"))).toBe(true);
});

test("Ctrl-C on wasm is heard within the epoch", async () => {
  const run = join(folder, "interrupted-wasm");
  // An epoch of 3,750 steps: a signal that is heard only at its end would leave a whole epoch.
  const args = ["lenet5", "--data", "mnist", "--batch", "16", "--epochs", "2", "--engine", "wasm", "--out", run];
  // One signal: a second one would end the process at once.
  let isStruck = false;
  const said = await spawned(["train", ...args, "--json"], {
    meanwhile(child, err) {
      if (!err.includes("images of mnist") || isStruck) return;
      isStruck = true;
      setTimeout(() => child.kill("SIGINT"), 1500);
    },
  });
  expect(said.status, said.err).toBe(130);
  expect(JSON.parse(said.out)).toMatchObject({ epochs: 0, interrupted: true });
  expect((await call("summary", run, "--json")).status).toBe(0);
});

test("a run keeps its number of threads, and says so when it gets another", async () => {
  const run = join(folder, "threads");
  const args = ["lenet5-mnist", "--limit", "64", "--epochs", "1", "--threads", "1", "--deterministic", "--out", run];
  expect((await spawned(["train", ...args])).status).toBe(0);
  const config = () =>
    JSON.parse(readFileSync(join(run, "config.json"), "utf8")) as { environment: { threads: number } };
  const resumed = await spawned(["train", "--resume", run, "--epochs", "2"]);
  expect([resumed.status, config().environment.threads], resumed.err).toEqual([0, 1]);
  expect(resumed.err).not.toMatch(/The run began with/);
  const changed = await spawned(["train", "--resume", run, "--epochs", "3", "--threads", "2"]);
  expect([changed.status, config().environment.threads], changed.err).toEqual([0, 2]);
  expect(changed.err).toMatch(/The run began with 1 thread and goes on with 2: it will not end with the same bits/);
});
