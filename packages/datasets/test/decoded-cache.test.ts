import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type IndexedDataset, loadData, type LoadOptions, writeShards } from "../src/index.ts";
import { put, temporaryFolder } from "./temporary.ts";

/** A folder of two classes with `count` photographs of noise. */
async function photographs(count: number): Promise<string> {
  const folder = temporaryFolder();
  for (let i = 0; i < count; i++) {
    const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * (i + 3) * 7 + ((at * at) % 11) * i) % 256);
    const image = sharp(pixels, { raw: { width: 30, height: 40, channels: 3 } });
    put(folder, `${i % 2 === 0 ? "a" : "b"}/${i}.jpg`, await image.jpeg().toBuffer());
  }
  return folder;
}

async function pixelsOf(data: IndexedDataset, epoch = 0): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const { images } of data.batches({ batch: 4, shuffle: true, seed: 1, epoch }))
    parts.push(Buffer.from(images as Uint8Array));
  return Buffer.concat(parts);
}

const size = [24, 20] as const;
const load = async (from: string, options: LoadOptions = {}) => (await loadData(from, { size, ...options })).train;
/** Bytes of an image with its entry. */
const each = 24 * 20 * 3 + 32;

describe("decoded images on disk", () => {
  test("give the same batches, and are found by content in other places, formats and processes", async () => {
    const [folder, cache] = [await photographs(11), temporaryFolder()];
    const expected = [await pixelsOf(await load(folder)), await pixelsOf(await load(folder), 1)];
    const first = await load(folder, { keep: "disk", cache });
    expect([await pixelsOf(first), await pixelsOf(first, 1)]).toEqual(expected);
    expect(first.decodedCache).toMatchObject({ taken: 11, added: 11, folderBytes: 11 * each, stopped: undefined });

    const moved = temporaryFolder();
    cpSync(folder, moved, { recursive: true });
    const again = await load(moved, { keep: "disk", cache });
    expect(await pixelsOf(again)).toEqual(expected[0]);
    expect(again.decodedCache).toMatchObject({ taken: 11, added: 0 });

    const shards = temporaryFolder();
    await writeShards(again, shards, { gzip: true, shuffle: false });
    const streamed = await load(shards, { keep: "disk", cache });
    expect((await pixelsOf(streamed)).length).toBe(expected[0]!.length);
    expect(streamed.decodedCache).toMatchObject({ taken: 11, added: 0 });

    // Other sizes and ways to resize are other pixels.
    for (const other of [{ resize: "nearest" }, { crop: true }, { channels: 1 }] as const) {
      const data = await load(folder, { keep: "disk", cache, ...other });
      expect(await pixelsOf(data)).toEqual(await pixelsOf(await load(folder, other)));
      expect(data.decodedCache).toMatchObject({ taken: 0, added: 11 });
    }
  });

  test("no image is taken from damaged files, and each is added again", async () => {
    const [folder, cache] = [await photographs(6), temporaryFolder()];
    const expected = await pixelsOf(await load(folder));
    await pixelsOf(await load(folder, { keep: "disk", cache }));
    const place = (ending: string) =>
      join(
        cache,
        "images",
        readdirSync(join(cache, "images")).find((name) => name.endsWith(ending))!,
      );
    const pixels = readFileSync(place("pixels"));
    pixels[24 * 20 * 3 * 2 + 5]! ^= 1;
    writeFileSync(place("pixels"), pixels);
    truncateSync(place("entries"), 5 * 32 + 9);
    const data = await load(folder, { keep: "disk", cache });
    expect(await pixelsOf(data)).toEqual(expected);
    expect(data.decodedCache).toMatchObject({ taken: 4, added: 2 });
    const mended = await load(folder, { keep: "disk", cache });
    expect(await pixelsOf(mended)).toEqual(expected);
    expect(mended.decodedCache).toMatchObject({ taken: 6, added: 0 });
    appendFileSync(place("entries"), Buffer.alloc(64, 7));
    expect(await pixelsOf(await load(folder, { keep: "disk", cache }))).toEqual(expected);
  });

  test("the folder does not grow beyond its limit", async () => {
    const [folder, cache] = [await photographs(9), temporaryFolder()];
    const data = await load(folder, { keep: "disk", cache, cacheLimit: 5 * each + 7 });
    expect(await pixelsOf(data)).toEqual(await pixelsOf(await load(folder)));
    expect(data.decodedCache).toMatchObject({
      added: 5,
      folderBytes: 5 * each,
      stopped: expect.stringContaining("limit"),
    });
    const names = readdirSync(join(cache, "images"));
    expect(names.reduce((sum, name) => sum + statSync(join(cache, "images", name)).size, 0)).toBe(5 * each);
    await expect(load(folder, { keep: "disk", cacheLimit: 0 })).rejects.toThrow(
      /expected cacheLimit to be a whole number from 1, got 0/,
    );
  });

  test("processes share it; one that is killed leaves whole images only", { timeout: 120_000 }, async () => {
    const [folder, cache] = [await photographs(40), temporaryFolder()];
    const script = put(
      temporaryFolder(),
      "read.mts",
      `import { loadData } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
       const { train } = await loadData(${JSON.stringify(folder)}, { size: [24, 20], keep: "disk", cache: ${JSON.stringify(cache)} });
       process.send("ready");
       for await (const _ of train.batches({ batch: 2, shuffle: true, seed: Number(process.argv[2]) }));`,
    );
    const start = (seed: number) =>
      fork(script, [String(seed)], { execArgv: ["--import", "tsx"], cwd: import.meta.dirname });
    const [killed, ...others] = [start(1), start(2)];
    const ended = Promise.all(others.map(async (child) => (await once(child, "exit"))[0] as number));
    await once(killed!, "message");
    await sleep(10);
    killed!.kill("SIGKILL");
    expect(await ended).toEqual([0]);
    const data = await load(folder, { keep: "disk", cache });
    expect(await pixelsOf(data)).toEqual(await pixelsOf(await load(folder)));
    expect(data.decodedCache).toMatchObject({ taken: 40, added: 0 });
  });
});
