import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelMetadata } from "@convkit/core";
import type { Decoding, IndexedDataset } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { loadModel } from "@convkit/weights";
import { beforeAll, expect, test } from "vitest";
import { train, type TrainOptions } from "../src/index.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

const decoding: Decoding = { size: [8, 8], resize: "area", crop: true, orient: false };

function options(told: Decoding | undefined, more: Partial<TrainOptions> = {}): TrainOptions {
  const set: IndexedDataset = { ...halves(32), decoding: told };
  return { model: smallNet(), data: { name: "halves", train: set }, epochs: 1, batch: 16, ...more };
}

test("the model keeps how its training images were decoded", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-decoding-"));
  const given = options(decoding, { out });
  await train(given);
  expect(modelMetadata(given.model).images).toEqual(decoding);
  expect(modelMetadata(await loadModel(join(out, "model"))).images).toEqual(decoding);
});

test("what the options say of the images comes first", async () => {
  const images = { resize: "nearest", crop: false } as const;
  const given = options(decoding, { metadata: { images } });
  await train(given);
  expect(modelMetadata(given.model).images).toEqual(images);
});

test("images that are no files tell nothing", async () => {
  const given = options(undefined);
  await train(given);
  expect(modelMetadata(given.model).images).toBeUndefined();
});

test("a run does not go on with images that are decoded otherwise", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-decoding-"));
  await train(options(decoding, { out }));
  const changed = options({ ...decoding, crop: false }, { out, resume: true, epochs: 2 });
  await expect(train(changed)).rejects.toThrow(/expected decoding .*crop.*true.*, got .*crop.*false/);
});
