import { type Batch, fromArrays } from "@convkit/datasets";
import { describe, expect, test } from "vitest";
import { batchesOf } from "../src/workers/worker-part.ts";

const data = fromArrays({
  images: Uint8Array.from({ length: 7 }, (_, image) => image),
  shape: [1, 1, 1],
  labels: [0, 1, 0, 1, 0, 1, 0],
  classes: ["a", "b"],
  name: "seven",
});
const handsOn = {
  ...data,
  async *batches(options: Parameters<typeof data.batches>[0]): AsyncGenerator<Batch> {
    for await (const { images, shape, labels, indices } of data.batches(options))
      yield { images, shape, labels, indices };
  },
};

async function images(...args: Parameters<typeof batchesOf>): Promise<number[][]> {
  const found: number[][] = [];
  for await (const batch of batchesOf(...args)) found.push([...batch.images]);
  return found;
}

describe("a worker's part of each batch", () => {
  const worker = { rank: 1, count: 2 };
  const mine = [
    [2, 3],
    [5, 6],
  ];

  test("is the same from a data set that reads parts and from one that does not", async () => {
    expect(await images(data, { batch: 4 }, worker)).toEqual(mine);
    expect(await images({ ...handsOn, readsParts: false }, { batch: 4 }, worker)).toEqual(mine);
    expect(await images(data, { batch: 4 }, undefined)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test("is refused from a data set that says it reads parts, and whose batches do not tell theirs", async () => {
    await expect(images(handsOn, { batch: 4 }, worker)).rejects.toThrow(
      /^seven: expected batches with `part` from a data set with readsParts, got none/,
    );
  });
});
