import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openFile } from "../src/platform/disk.ts";
import { readZip } from "../src/bytes/zip-reader.ts";
import { writeZip } from "../src/bytes/zip-writer.ts";
import { containerTensors } from "../src/convert/convert-weights.ts";
import { openWeights, WeightsError, writeWeights } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-keras-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url));

/** The weights of a file by layer, with their values. */
async function layersOf(path: string): Promise<Map<string, unknown>> {
  const file = await openWeights(path);
  const layers = new Map(
    file.layers!.map(({ layer, tensors }) => [layer, tensors.map((tensor) => [tensor.shape, [...tensor.read()]])]),
  );
  file.close();
  return layers;
}

const parts = async () => {
  const entries = await readZip(openFile(golden("keras3.keras")));
  return [...entries.values()].map((entry) => ({ name: entry.name, bytes: entry.open().read(0, entry.size) }));
};

describe("a .keras archive", () => {
  it.each(["net/", "a/b/"])("within the folder %s is read as before", async (prefix) => {
    const path = at(`${prefix.replaceAll("/", "-")}.keras`);
    const chunks: Uint8Array[] = [];
    const entries = (await parts()).map(({ name, bytes }) => ({
      name: prefix + name,
      fill: (sink: { write(bytes: Uint8Array): void }) => sink.write(bytes),
    }));
    writeZip({ position: 0, write: (bytes) => chunks.push(Uint8Array.from(bytes)) }, entries);
    writeFileSync(path, Buffer.concat(chunks));
    expect(await layersOf(path)).toEqual(await layersOf(golden("keras3.keras")));
  });

  // Python's zipfile, and so Keras, finds the archive from its end.
  it("after other bytes, such as a program that unpacks it, is read as before", async () => {
    const program = Buffer.from('#!/bin/sh\nunzip "$0"; exit\n');
    writeFileSync(at("unpacking.keras"), Buffer.concat([program, readFileSync(golden("keras3.keras"))]));
    expect(await layersOf(at("unpacking.keras"))).toEqual(await layersOf(golden("keras3.keras")));
    writeFileSync(at("cut.keras"), Buffer.concat([program, readFileSync(golden("keras3.keras")).subarray(0, -4)]));
    await expect(openWeights(at("cut.keras"))).rejects.toThrow("this is no file of weights that is known");
  });

  it("unpacked into a folder is read as before", async () => {
    for (const { name, bytes } of await parts()) {
      mkdirSync(dirname(at(`unpacked/${name}`)), { recursive: true });
      writeFileSync(at(`unpacked/${name}`), bytes);
    }
    expect(await layersOf(at("unpacked"))).toEqual(await layersOf(golden("keras3.keras")));
    expect((await openWeights(at("unpacked"))).config).toBeDefined();
  });
});

describe.each(["bzip2", "lzma"])("a .keras archive whose entries are packed by %s", (method) => {
  const bytes = readFileSync(golden(`keras3-${method}.keras`));

  it("is read as before", async () => {
    expect(await layersOf(golden(`keras3-${method}.keras`))).toEqual(await layersOf(golden("keras3.keras")));
  });

  it.each([1, 1 << 20])("that states sizes of %i bytes is refused, without more than that in memory", async (size) => {
    const lying = Buffer.from(bytes);
    // The unpacked size in the archive's directory: 24 bytes after the signature of each entry.
    for (let at = lying.indexOf("PK\x01\x02"); at !== -1; at = lying.indexOf("PK\x01\x02", at + 1))
      lying.writeUInt32LE(size, at + 24);
    writeFileSync(at(`lying-${method}.keras`), lying);
    const error: unknown = await openWeights(at(`lying-${method}.keras`)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(new RegExp(`does not unpack to ${size} bytes|size or checksum differs`));
  });
});

describe("shards of weights", () => {
  const shards = async (map: Record<string, unknown>): Promise<string> => {
    writeFileSync(at("w.weights.json"), JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));
    return at("w.weights.json");
  };

  it("are read from all files, also where one layer lies in two", async () => {
    const file = await openWeights(golden("keras3.weights.h5"));
    const tensors = containerTensors(file);
    const map: Record<string, string[]> = {};
    // The last tensors come first, so that the order within a layer must be found again.
    for (const [index, part] of [
      tensors.filter((_, i) => i % 2 === 1),
      tensors.filter((_, i) => i % 2 === 0),
    ].entries()) {
      const name = `w_0000${index}.weights.h5`;
      await writeWeights(at(name), part);
      for (const { name: path } of part) (map[`/${path.replace(/\/\d+$/, "")}`] ??= []).push(name);
    }
    file.close();
    const whole = await openWeights(golden("keras3.weights.h5"));
    const expected = new Map(
      whole.layers!.map(({ path, tensors: own }) => [path, own.map((each) => [...each.read()])]),
    );
    whole.close();
    const came = await openWeights(await shards(map));
    expect(new Map(came.layers!.map(({ path, tensors: own }) => [path, own.map((each) => [...each.read()])]))).toEqual(
      expected,
    );
    came.close();
  });

  it.each([
    ["../w.weights.h5", /expected the name of a \.weights\.h5 beside it/],
    ["/etc/x.weights.h5", /expected the name of a \.weights\.h5 beside it/],
    ["a\\b.weights.h5", /expected the name of a \.weights\.h5 beside it/],
    [7, /expected the name of a \.weights\.h5 beside it/],
    ["none.weights.h5", /the shard none\.weights\.h5 is missing/],
  ])("the name %j is refused", async (name, message) => {
    const error: unknown = await openWeights(await shards({ "/layers/conv2d/vars": [name] })).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
  });

  it("a layer that no shard has is refused", async () => {
    cpSync(golden("keras3.weights.h5"), at("one.weights.h5"));
    const path = await shards({ "/layers/nowhere/vars": ["one.weights.h5"] });
    await expect(openWeights(path)).rejects.toThrow(/no shard has the weights of "layers\/nowhere"/);
  });
});

it.each([512, 2048])("an HDF5 file after a user block of %i bytes is read as before", async (size) => {
  const bytes = readFileSync(golden("keras3.h5"));
  // The superblock of version 0 has the base address in byte 24, which all others are counted from.
  bytes.writeBigUInt64LE(BigInt(size), 24);
  const path = at(`user-block-${size}.h5`);
  writeFileSync(path, Buffer.concat([Buffer.alloc(size, "a note"), bytes]));
  expect(await layersOf(path)).toEqual(await layersOf(golden("keras3.h5")));
});
