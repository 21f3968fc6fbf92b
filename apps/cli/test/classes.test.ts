import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "convkit-classes-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A model that names an image's strongest channel, with its classes in the channels' order: red, green, blue. */
async function channelModel(path: string, format?: "tfjs" | "savedmodel"): Promise<string> {
  await useEngine();
  const dense = tfl.layers.dense({ units: 3, activation: "softmax" });
  const model = tfl.sequential({
    layers: [tfl.layers.globalAveragePooling2d({ inputShape: [8, 8, 3] } as never), dense],
  });
  const identity = Array.from({ length: 9 }, (_, index) => (index % 4 === 0 ? 20 : 0));
  dense.setWeights([tf.tensor2d(identity, [3, 3]), tf.zeros([3])]);
  const metadata = { classes: ["red", "green", "blue"], preprocessing: { scale: 1 / 255 } };
  await saveModel(model, path, { metadata, ...(format && { format }) });
  return path;
}

interface Evaluated {
  readonly accuracy: number;
  readonly loss: number;
  readonly count: number;
  readonly trainedOn?: number;
  readonly confusion: number[][];
  readonly perClass: { readonly label: string; readonly support: number }[];
}

async function evaluated(...args: string[]): Promise<Evaluated> {
  const { status, out, err } = await call("evaluate", ...args, "--json");
  expect(status, err).toBe(0);
  return JSON.parse(out) as Evaluated;
}

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe("classes match by name", { shuffle: false }, () => {
  const models: Record<string, string> = {};
  const [all, some] = [join(root, "all"), join(root, "some")];
  beforeAll(async () => {
    // Folders are read in the order blue, green, red: the model's order reversed.
    await colorFolder(all, ["blue", "green", "red"], 3);
    await colorFolder(some, ["blue", "red"], 2);
    models["keras"] = await channelModel(join(root, "model.keras"));
    models["tfjs"] = await channelModel(join(root, "tfjs"), "tfjs");
    if (engines[0] !== "wasm") models["savedmodel"] = await channelModel(join(root, "saved"), "savedmodel");
  });

  const formats = ["keras", "tfjs", ...(engines[0] === "wasm" ? [] : ["savedmodel"])];
  test.each(formats)("of a %s model and of data in another order", async (format) => {
    const { accuracy, perClass, confusion } = await evaluated(models[format]!, "--data", all);
    expect(perClass.map(({ label }) => label)).toEqual(["red", "green", "blue"]);
    expect([accuracy, confusion]).toEqual([1, [[3, 0, 0], [0, 3, 0], [0, 0, 3]]]); // prettier-ignore
  });

  test("of a model whose head is kept, in the first step of lr-find and check", async () => {
    const { loss } = await evaluated(models["keras"]!, "--data", all);
    const args = [models["keras"]!, "--data", all, "--batch", "9", "--steps", "20", "--json"];
    const [found, checked] = [await call("lr-find", ...args), await call("check", ...args)];
    expect([found.status, checked.status], found.err + checked.err).toEqual([0, 0]);
    // With the labels in the order of the folders, the loss would be about 10.
    expect(loss).toBeLessThan(1);
    expect((JSON.parse(found.out) as { points: { loss: number }[] }).points[0]!.loss).toBeCloseTo(loss, 5);
    expect((JSON.parse(checked.out) as { start: { loss: number } }).start.loss).toBeCloseTo(loss, 5);
  });

  test.each(formats)("of a %s model and of data with some of its classes", async (format) => {
    const { accuracy, perClass } = await evaluated(models[format]!, "--data", some);
    expect([accuracy, perClass.map(({ support }) => support)]).toEqual([1, [2, 0, 2]]);
  });

  test.each(formats)("of a %s model; a class that it does not know is refused with both lists", async (format) => {
    const other = await colorFolder(join(root, "other"), ["red"], 1);
    await colorFolder(other, ["blue"], 1);
    const renamed = join(root, `renamed-${format}`);
    cpSync(join(other, "red"), join(renamed, "red"), { recursive: true });
    cpSync(join(other, "blue"), join(renamed, "azure"), { recursive: true });
    const { status, out, err } = await call("evaluate", models[format]!, "--data", renamed);
    expect([status, out]).toEqual([1, ""]);
    expect(err).toMatch(/expected classes among \["red", "green", "blue"\], got \["azure", "red"\]/);
  });

  test("training goes on with the old head where the classes are the same, in the model's order", async () => {
    const run = join(root, "same");
    const args = ["--data", all, "--epochs", "1", "--batch", "9", "--lr", "1e-9", "--out", run];
    const { status, err } = await call("train", models["keras"]!, ...args);
    expect(status, err).toBe(0);
    expect(err).not.toMatch(/new head/);
    expect(JSON.parse(readFileSync(join(run, "config.json"), "utf8"))).toMatchObject({
      classes: ["red", "green", "blue"],
    });
    expect((await evaluated(run, "--data", all)).accuracy).toBe(1);
  });

  test("training on as many other classes gets a new head, and says so", async () => {
    const run = join(root, "new");
    const data = join(root, "renamed-keras");
    cpSync(join(all, "green"), join(data, "green"), { recursive: true });
    const { status, err } = await call("train", models["keras"]!, "--data", data, "--epochs", "1", "--out", run);
    expect(status, err).toBe(0);
    expect(err).toMatch(/has the classes red, green, blue; it gets a new head for azure, green, red\./);
  });
});

describe("the images that a run held out", () => {
  const data = join(root, "halves");
  const run = join(root, "run");
  beforeAll(async () => {
    await colorFolder(data, ["blue", "red"], 10);
    const args = ["--input", "16x16x3", "--epochs", "1", "--batch", "4", "--validation", "0.3", "--seed", "4"];
    const { status, err } = await call("train", "residual-stack", "--data", data, ...args, "--out", run);
    expect(status, err).toBe(0);
  });

  test("are those of --split validation", async () => {
    const { count, trainedOn, accuracy } = await evaluated(run, "--data", data, "--split", "validation");
    const { test } = JSON.parse(readFileSync(join(run, "metrics.json"), "utf8")) as {
      test: Evaluated & { split: string };
    };
    expect([count, trainedOn, test.split]).toEqual([6, 0, "validation"]);
    expect(accuracy).toBe(test.accuracy);
  });

  test("are told apart from the images that it was trained on", async () => {
    const { status, out, err } = await call("evaluate", run, "--data", data, "--json");
    expect(status, err).toBe(0);
    expect(err).toMatch(/was trained on 14 of these 20 images; --split validation evaluates the 6 that it held out/);
    expect(JSON.parse(out)).toMatchObject({ count: 20, trainedOn: 14 });
  });

  test("are those of another folder only if that has a validation split", async () => {
    const { status, err } = await call("evaluate", run, "--data", join(root, "all"), "--split", "validation");
    expect([status, err]).toEqual([2, expect.stringMatching(/has no validation images: it has train/)]);
  });

  test("are called validation, not test, by compare", async () => {
    const [row] = JSON.parse((await call("compare", run, "--json")).out) as Record<string, unknown>[];
    expect(row).toMatchObject({ valAccuracy: expect.any(Number), testAccuracy: null, testLoss: null });
  });
});

test("compare shows a run that ended in its first epoch", async () => {
  const run = join(root, "diverged");
  const args = ["--data", join(root, "halves"), "--input", "16x16x3", "--epochs", "1", "--batch", "4", "--out", run];
  const { status } = await call("train", "residual-stack", ...args, "--optimizer", "sgd", "--lr", "1e30");
  expect(status).toBe(1);
  const compared = await call("compare", run, "--json");
  expect(compared.status, compared.err).toBe(0);
  expect(JSON.parse(compared.out)).toMatchObject([{ epochs: 0, bestEpoch: null, valAccuracy: null }]);
  expect((await call("compare", run, "--out", join(root, "curves.html"))).status).toBe(0);
});

test("a training that cannot start leaves no run directory", async () => {
  const run = join(root, "unstarted");
  const args = ["--data", join(root, "halves"), "--input", "16x16x3", "--classes", "5", "--out", run];
  const { status, err } = await call("train", "residual-stack", ...args);
  expect([status, err]).toEqual([1, expect.stringMatching(/has 2 classes but residual-stack has 5 outputs/)]);
  expect(existsSync(run)).toBe(false);
});
