import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dense, flatten, chain, network } from "@convkit/core";
import { fromArrays, splitOff } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { beforeAll, describe, expect, test } from "vitest";
import { evaluate, planAugmentation, showProgress, train, type TrainOptions } from "../src/index.ts";

beforeAll(() => useEngine("wasm"));

const images = Float32Array.from({ length: 24 * 16 }, (_, i) => ((i * 37) % 101) / 100 - 0.5);
const labels = Int32Array.from({ length: 24 }, (_, i) => i % 2);
const data = fromArrays({ images, shape: [4, 4, 1], labels, classes: ["a", "b"], name: "numbers" });

/** The weights after a training of two epochs. */
async function weightsAfter(options: Partial<TrainOptions>): Promise<number[]> {
  const model = network([4, 4, 1], chain([flatten(), dense(2, { activation: "softmax" })]), { seed: 1 });
  await train({
    model,
    data: { name: "numbers", train: data },
    epochs: 2,
    batch: 8,
    seed: 3,
    progress: false,
    ...options,
  });
  return model.getWeights().flatMap((each) => [...each.dataSync()]);
}

describe("options in their short forms train as their full forms do", () => {
  test.each<[string, Partial<TrainOptions>, Partial<TrainOptions>]>([
    ["a data set", { data }, { data: { name: "numbers", train: data } }],
    [
      "validation images beside a data set",
      { data, validation: data, schedule: "constant" },
      { data: { name: "numbers", train: data, validation: data } },
    ],
    [
      "a share of the training images for validation",
      { data, validation: 0.25 },
      (([train, validation]) => ({ data: { name: "numbers", train, validation } }))(splitOff(data, 6, { seed: 3 })),
    ],
    ["a schedule by name", { schedule: "cosine" }, { schedule: { name: "cosine" } }],
    [
      "a schedule as text",
      { schedule: "step:every=1,factor=0.5" },
      { schedule: { name: "step", every: 1, factor: 0.5 } },
    ],
    [
      "augmentation as plain data",
      { augment: { flip: "horizontal" } },
      { augment: planAugmentation({ flip: "horizontal" }, 2) },
    ],
  ])("%s", async (_title, short, full) => {
    expect(await weightsAfter(short)).toEqual(await weightsAfter(full));
  });

  test("each of them changes what is trained", async () => {
    const plain = await weightsAfter({});
    expect(await weightsAfter({ schedule: "cosine" })).not.toEqual(plain);
    expect(await weightsAfter({ augment: { flip: "horizontal" } })).not.toEqual(plain);
  });

  test.each<[string, object, RegExp]>([
    ["an unknown schedule", { schedule: "cosin" }, /Unknown schedule "cosin": known are constant, step/],
    ["an unknown augmentation", { augment: { flipp: "horizontal" } }, /flipp/],
    ["augmentation that is none", { augment: "flip" }, /augment/],
    ["no data", { data: undefined }, /expected data to be a data set or \{ name, train, validation \}/],
    ["data that is a folder's name", { data: "photos" }, /expected data to be a data set.*got "photos"/],
    [
      "validation twice",
      { data: { name: "a", train: data, validation: data }, validation: 0.1 },
      /has its own 24 valid/,
    ],
    [
      "validation that is none",
      { validation: "test" },
      /expected validation to be a data set, or how many.*got "test"/,
    ],
    ["a share that leaves nothing", { validation: 0.01 }, /split of 0.01 of numbers's 24 images would leave nothing/],
    [
      "splits without a data set",
      { data: { train: undefined } },
      /expected data.train to be a data set.*got undefined/,
    ],
    ["a validation set that is none", { data: { train: data, validation: [] } }, /expected data.validation to be/],
    ["an unknown option", { batchSize: 3 }, /batchSize.*Did you mean "batch"/],
  ])("refuses %s", async (_title, options, message) => {
    await expect(weightsAfter(options)).rejects.toThrow(message);
  });
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  ["no model to evaluate", () => evaluate(undefined as never, data), /evaluate: expected a model such as createModel/],
  ["a promise of a model", () => evaluate(Promise.resolve() as never, data), /evaluate: expected a model/],
])("refuses %s", async (_title, call, message) => {
  await expect(call()).rejects.toThrow(message);
});

test("a run is resumed with the augmentation that it began with, or refused", async () => {
  const out = join(mkdtempSync(join(tmpdir(), "convkit-plain-")), "run");
  const augment = { flip: "horizontal", translation: 0.1 } as const;
  await weightsAfter({ out, augment, epochs: 1 });
  await expect(weightsAfter({ out, augment: { flip: "horizontal" }, resume: true })).rejects.toThrow(
    /cannot go on with other settings: expected augment .*translation.*, got/,
  );
  const whole = await weightsAfter({ augment });
  expect(await weightsAfter({ out, augment, resume: true })).toEqual(whole);
});

test("showProgress says each epoch in a line, with the numbers of the history", async () => {
  const lines: string[] = [];
  const model = network([4, 4, 1], chain([flatten(), dense(2, { activation: "softmax" })]), { seed: 1 });
  const callbacks = [showProgress({ line: (text) => lines.push(text), bar: false })];
  const { history } = await train({ model, data, epochs: 2, batch: 8, progress: false, callbacks });
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain(
    `epoch 2/2 | loss ${history[1]!.loss.toFixed(4)} | accuracy ${(history[1]!.accuracy! * 100).toFixed(2)} %`,
  );
});

test("names of classes are one name, composed or not", async () => {
  const named = (classes: readonly string[]) =>
    fromArrays({ images, shape: [4, 4, 1], labels, classes, name: "cafés" });
  const model = network([4, 4, 1], chain([flatten(), dense(2, { activation: "softmax" })]), { seed: 1 });
  const options = { model, epochs: 1, progress: false } as const;
  await train({
    ...options,
    data: { name: "cafés", train: named(["caf\u00e9", "b"]), validation: named(["cafe\u0301", "b"]) },
  });
  await train({ ...options, data: named(["cafe\u0301", "b"]) });
  await expect(train({ ...options, data: named(["b", "cafe\u0301"]) })).rejects.toThrow(/tells apart/);
});
