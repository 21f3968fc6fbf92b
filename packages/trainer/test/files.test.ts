import { createServer } from "node:http";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isConvkitError } from "@convkit/errors";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EpochLogs, formatHistory, parseHistory, recipes, type Training, webhook } from "../src/index.ts";
import {
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  recoverCheckpoints,
  writeCheckpoint,
} from "../src/run/checkpoint.ts";

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
    const row = "1,0.5,0.5,,,0.1,2";
    const named = (cell: string, place: number) => row.split(",").with(place, cell).join(",");
    for (const [cell, place, message] of [
      ["x", 1, /line 2 must have a number as loss but has "x"/],
      ["0x10", 2, /a number as accuracy/],
      ["1e999x", 5, /a number as lr/],
      ["", 0, /a number as epoch/],
      ["-1", 0, /a number as epoch/],
    ] as const)
      expect(() => parseHistory(`${formatHistory([])}${named(cell, place)}\n`)).toThrow(message);
    expect(parseHistory(`${formatHistory([])}${named("NaN", 1)}\n`)).toMatchObject([{ loss: Number.NaN }]);
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
  test("that were half removed count no more, and go when the run is taken up", async () => {
    const path = await folder();
    for (const step of [1, 2]) await writeCheckpoint(path, { step, state: null, arrays });
    // Killed in the middle of a removal: `checkpoint.json` goes first.
    await rm(join(path, "step-00000002", "checkpoint.json"));
    expect(await listCheckpoints(path)).toEqual([1]);
    await recoverCheckpoints(path);
    expect(await readdir(path)).toEqual(["step-00000001"]);
  });
  test("with one flipped bit are refused, or come back as they were", async () => {
    const path = await folder();
    await writeCheckpoint(path, { step: 7, state: { epoch: 1, note: "\u00e9" }, arrays });
    const whole = await readCheckpoint(path, 7);
    for (const name of ["checkpoint.json", "arrays.bin"]) {
      let [tried, refused] = [0, 0];
      const file = join(path, "step-00000007", name);
      const bytes = await readFile(file);
      for (let bit = 0; bit < bytes.length * 8; bit += 13) {
        tried++;
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        await writeFile(file, damaged);
        try {
          expect(await readCheckpoint(path, 7), `${name}, bit ${bit}`).toEqual(whole);
        } catch (error) {
          expect(isConvkitError(error), `${name}, bit ${bit}: ${String(error)}`).toBe(true);
          expect((error as Error).message).toContain(join("step-00000007", name));
          refused++;
        }
      }
      await writeFile(file, bytes);
      // Only a bit in the word "crc32" itself, or behind the last bracket, leaves all else as it was.
      expect(refused).toBeGreaterThan(tried - 6);
    }
  });
  test("whose header lies are refused", async () => {
    const path = await folder();
    await writeCheckpoint(path, { step: 7, state: null, arrays });
    const file = join(path, "step-00000007", "checkpoint.json");
    const { crc32: _, ...header } = JSON.parse(await readFile(file, "utf8")) as { crc32: number; arrays: object[] };
    const [first, ...rest] = header.arrays;
    for (const [change, message] of [
      [{ shape: [2 ** 40, 2 ** 40] }, /flag \[1099511627776, 1099511627776\] must have/],
      [{ shape: [-3] }, /must be a list, each an object with name, shape, dtype, offset, bytes/],
      [{ dtype: "constructor" }, /must be a list, each an object/],
      [{ offset: 8 }, /must have 3 bytes at 0, not 3 at 8/],
      [{ bytes: 1e9 }, /must have 3 bytes at 0, not 1000000000 at 0/],
    ] as const) {
      await writeFile(file, JSON.stringify({ ...header, arrays: [{ ...first, ...change }, ...rest] }));
      await expect(readCheckpoint(path, 7)).rejects.toThrow(message);
    }
    await writeFile(file, "[".repeat(1e5));
    await expect(readCheckpoint(path, 7)).rejects.toThrow(/at most 100 objects or arrays inside each other/);
    await rm(file);
    await expect(readCheckpoint(path, 7)).rejects.toThrow(/checkpoint\.json does not exist/);
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
  const { signal } = new AbortController();
  const training = { out: "runs/a", epochs: 2, step: 8, stopReason: undefined, signal } as unknown as Training;
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
