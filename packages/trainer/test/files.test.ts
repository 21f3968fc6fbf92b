import { createServer } from "node:http";
import { mkdtemp, readdir, truncate, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EpochLogs, formatHistory, parseHistory, recipes, type Training, webhook } from "../src/index.ts";
import { listCheckpoints, pruneCheckpoints, readCheckpoint, writeCheckpoint } from "../src/run/checkpoint.ts";

const folder = () => mkdtemp(join(tmpdir(), "convkit-files-"));

describe("history.csv", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const row = fc.record(
    {
      epoch: fc.nat(),
      loss: number,
      accuracy: number,
      valLoss: number,
      valAccuracy: number,
      lr: number,
      seconds: number,
    },
    { requiredKeys: ["epoch", "loss", "accuracy", "lr", "seconds"] },
  );
  test("is read as it was written", () => {
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const plain = rows.map((each) => ({ ...each })) as EpochLogs[];
        // -0 is written as 0.
        const zero = (all: readonly EpochLogs[]) =>
          all.map((each) => Object.fromEntries(Object.entries(each).map(([key, value]) => [key, value + 0])));
        expect(zero(parseHistory(formatHistory(plain)))).toEqual(zero(plain));
      }),
    );
  });
  test("names the line that does not fit", () => {
    expect(() => parseHistory("epoch,loss\n1,2")).toThrow(/must begin with "epoch,loss,accuracy/);
    expect(() => parseHistory(`${formatHistory([])}1,2,3\n`)).toThrow(/line 2 must have 7 cells but has 3/);
  });
});

describe("checkpoints", () => {
  const arrays = [
    { name: "flag", shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) },
    { name: "kernel", shape: [2, 2], dtype: "float32", data: Float32Array.of(1, -2, 3.5, 1e-9) },
    { name: "count", shape: [], dtype: "int32", data: Int32Array.of(-7) },
  ] as const;
  test("come back as they were, whatever the alignment", async () => {
    const path = await folder();
    await writeCheckpoint(path, { step: 12, state: { epoch: 1 }, arrays });
    expect(await readCheckpoint(path, 12)).toEqual({ step: 12, state: { epoch: 1 }, arrays });
  });
  test("are listed in order, and pruned", async () => {
    const path = await folder();
    for (const step of [100, 9, 2000]) await writeCheckpoint(path, { step, state: null, arrays: [] });
    await writeFile(join(path, "notes.txt"), "");
    expect(await listCheckpoints(path)).toEqual([9, 100, 2000]);
    await pruneCheckpoints(path, new Set([100]));
    expect(await listCheckpoints(path)).toEqual([100]);
    expect(await listCheckpoints(join(path, "gone"))).toEqual([]);
  });
  test("a second one of a step takes the place of the first, and leaves nothing beside it", async () => {
    const path = await folder();
    for (const state of ["middle", "end"]) await writeCheckpoint(path, { step: 3, state, arrays });
    expect(await readCheckpoint(path, 3)).toMatchObject({ state: "end" });
    expect(await readdir(path)).toEqual(["step-00000003"]);
  });
  test("a short file is refused with both sizes", async () => {
    const path = await folder();
    await writeCheckpoint(path, { step: 1, state: null, arrays });
    await truncate(join(path, "step-00000001", "arrays.bin"), 5);
    await expect(readCheckpoint(path, 1)).rejects.toThrow(/must have 23 bytes but has 5/);
  });
});

test("a webhook posts the run's events, and a dead one is told but ends nothing", async () => {
  const heard: unknown[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += String(part)));
    request.on("end", () => {
      heard.push(JSON.parse(body));
      response.end();
    });
  });
  await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const training = { out: "runs/a", epochs: 2, step: 8, stopReason: undefined } as unknown as Training;
  const logs = { epoch: 1, loss: 0.5, accuracy: 0.9, lr: 0.01, seconds: 2 };
  const hook = webhook(url);
  await hook.onTrainBegin!(training);
  await hook.onEpochEnd!(1, logs, training);
  await hook.onTrainEnd!(training);
  server.close();
  expect(heard).toEqual([
    { event: "begin", run: "runs/a", epochs: 2 },
    { event: "epoch", ...logs },
    { event: "end", steps: 8, stopReason: null },
  ]);
  const errors: Error[] = [];
  await webhook(url, { onError: (error) => errors.push(error), timeout: 500 }).onEpochEnd!(1, logs, training);
  expect(errors).toHaveLength(1);
});

describe("recipes are plain data", () => {
  test.each(Object.values(recipes).map((recipe) => [recipe.name, recipe] as const))("%s", (name, recipe) => {
    expect(JSON.parse(JSON.stringify(recipe))).toEqual(recipe);
    expect(recipes[name as keyof typeof recipes]).toBe(recipe);
    expect(recipe.quick.expects, "a quick run states what it must reach").toBeDefined();
  });
});
