import type { Feed, Values } from "@convkit/graph";
import { describe, expect, test } from "vitest";
import { createBatcher, type BatcherOptions } from "../src/batching/batcher.ts";

/** A batcher before a model that doubles its rows of two numbers, and computes when `let()` is called. */
function doubling(options: Partial<BatcherOptions> = {}) {
  const batches: number[][] = [];
  const running: (() => void)[] = [];
  const run = (feeds: readonly Feed[]) =>
    new Promise<Values[]>((resolve) => {
      const { data, shape } = feeds[0]!;
      batches.push([...data]);
      running.push(() => resolve([{ data: Float32Array.from(data, (x) => 2 * x), shape }]));
    });
  const whole = { run, maxBatch: 4, maxWaitMs: 0, sizeOf: (rows: number) => rows, onBatch: () => {}, ...options };
  const batcher = createBatcher(whole);
  const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
  return {
    batches,
    batcher,
    ask: (values: number[], signal = new AbortController().signal) =>
      batcher.run([{ data: Float32Array.from(values), shape: [values.length / 2, 2] }], signal),
    async let() {
      await settled();
      running.shift()!();
      await settled();
    },
  };
}

describe("batcher", () => {
  test("what arrives while the model computes goes together, in its order and up to the largest batch", async () => {
    const { ask, let: compute, batches } = doubling();
    const first = ask([1, 1]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const rest = [ask([2, 3]), ask([4, 5, 6, 7]), ask([8, 9]), ask([10, 11])];
    for (let i = 0; i < 3; i++) await compute();
    expect(batches).toEqual([
      [1, 1],
      [2, 3, 4, 5, 6, 7, 8, 9],
      [10, 11],
    ]);
    expect([...(await first)[0]!.data]).toEqual([2, 2]);
    const answers = await Promise.all(rest);
    expect(answers.map(([{ data }]: any) => [...data])).toEqual([[4, 6], [8, 10, 12, 14], [16, 18], [20, 22]]); // prettier-ignore
    expect(answers.map(([{ shape }]: any) => shape)).toEqual([[1, 2], [2, 2], [1, 2], [1, 2]]); // prettier-ignore
  });

  test("a large request is computed in parts and answered as one", async () => {
    const { ask, let: compute, batches } = doubling({ maxBatch: 2 });
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const answer = ask(values);
    for (let i = 0; i < 3; i++) await compute();
    expect(batches.map((batch) => batch.length / 2)).toEqual([2, 2, 1]);
    expect([...(await answer)[0]!.data]).toEqual(values.map((value) => 2 * value));
    expect((await answer)[0]!.shape).toEqual([5, 2]);
  });

  test("rows of zeros fill a batch up, and are in no answer", async () => {
    const { ask, let: compute, batches } = doubling({ sizeOf: () => 4 });
    const answer = ask([1, 2, 3, 4, 5, 6]);
    await compute();
    expect(batches).toEqual([[1, 2, 3, 4, 5, 6, 0, 0]]);
    expect(await answer).toEqual([{ data: Float32Array.of(2, 4, 6, 8, 10, 12), shape: [3, 2] }]);
  });

  test("requests of other shapes make batches of their own", async () => {
    const { batcher, ask, let: compute, batches } = doubling();
    const hold = ask([0, 0]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { signal } = new AbortController();
    const [a, b] = [ask([1, 2]), batcher.run([{ data: Float32Array.of(5, 6, 7), shape: [1, 3] }], signal)];
    const c = ask([3, 4]);
    for (let i = 0; i < 3; i++) await compute();
    await Promise.all([hold, a, b, c]);
    expect(batches).toEqual([[0, 0], [1, 2, 3, 4], [5, 6, 7]]); // prettier-ignore
  });

  test("a request that is aborted while it waits is never computed", async () => {
    const { ask, let: compute, batches, batcher } = doubling();
    const hold = ask([1, 1]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const controller = new AbortController();
    const gone = ask([2, 2], controller.signal);
    const other = ask([3, 3]);
    controller.abort(new Error("left"));
    await expect(gone).rejects.toThrow("left");
    expect(batcher.waiting()).toBe(1);
    await compute();
    await compute();
    await Promise.all([hold, other]);
    expect(batches).toEqual([[1, 1], [3, 3]]); // prettier-ignore
  });

  test("a model that fails fails the requests of its batch, and computes the next", async () => {
    let count = 0;
    const run = async (feeds: readonly Feed[]): Promise<Values[]> => {
      if (count++ === 0) throw new Error("no memory");
      return [{ data: Float32Array.from(feeds[0]!.data), shape: feeds[0]!.shape }];
    };
    const { ask } = doubling({ run });
    await expect(ask([1, 2])).rejects.toThrow("no memory");
    expect([...(await ask([1, 2]))[0]!.data]).toEqual([1, 2]);
  });
});
