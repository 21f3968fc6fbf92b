import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openFile } from "../src/platform/disk.ts";
import { openHdf5 } from "../src/formats/hdf5/reader.ts";
import { unpackLzf } from "../src/formats/hdf5/lzf.ts";
import { openWeights, WeightsError } from "../src/index.ts";

// The files were written by tools/golden/weights-hdf5.py with h5py; a dataset named "k-…" is arange(size) / 4 - k.
const golden = (name: string): string => fileURLToPath(new URL(`golden/hdf5/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "convkit-hdf5-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["v110.h5", "v200.h5"])("%s, as libver of that name writes it", (name) => {
  it("gives every dataset by every index of chunks", async () => {
    const file = await openWeights(golden(name));
    expect(file.tensors.map((tensor) => tensor.name)).toHaveLength(16);
    for (const tensor of file.tensors) {
      const size = tensor.shape.reduce((product, side) => product * side, 1);
      const k = Number(/(\d+)-/.exec(tensor.name)?.[1]);
      const expected = Array.from({ length: size }, (_, i) => (Number.isNaN(k) ? i % 251 : i * 0.25 - k));
      expect([...tensor.read()], tensor.name).toEqual(expected);
    }
    file.close();
  });

  it("gives attributes and links from a heap", () => {
    const source = openFile(golden(name));
    const group = openHdf5(source).get("ordered");
    source.close();
    expect(group?.kind === "group" && group.names).toEqual(["0-x", "0-y", "0-z"]);
    const texts = Array.from({ length: 10 }, (_, i) => [`text${i}`, `value ${i}`] as const);
    const large = Array.from({ length: 6 }, (_, i) => `${i}`.padStart(1000, "0"));
    expect(group?.attributes).toEqual(new Map<string, unknown>([...texts, ["large", large]]));
  });

  it("gives the true numbers or an error, whichever bit is flipped in what is not data", async () => {
    const bytes = readFileSync(golden(name));
    const whole = await valuesOf(golden(name));
    let refused = 0;
    // Structures carry checksums, and so do chunks with Fletcher-32; plain chunks do not.
    const paths = [...whole.keys()].filter((path) => path.includes("gzip") || path.includes("0-x"));
    for (let place = 8; place < bytes.byteLength; place += 811) {
      const mutant = Buffer.from(bytes);
      mutant[place]! ^= 1 << (place % 8);
      const path = join(folder, "mutant.h5");
      writeFileSync(path, mutant);
      try {
        const came = await valuesOf(path, paths);
        // A user block before the file has no checksum, and may turn it into another format.
        for (const key of paths) expect(came.get(key), `byte ${place}, ${key}`).toEqual(whole.get(key));
      } catch (error) {
        if (!(error instanceof WeightsError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(8);
  });
});

async function valuesOf(path: string, only?: readonly string[]): Promise<Map<string, readonly number[]>> {
  const file = await openWeights(path);
  try {
    const wanted = file.tensors.filter((tensor) => only === undefined || only.includes(tensor.name));
    return new Map(wanted.map((tensor) => [tensor.name, [...tensor.read()]]));
  } finally {
    file.close();
  }
}

it.each([
  ["external.h5", /dataset "outside".*keeps its data in other files, which are not opened/],
  ["virtual.h5", /dataset "outside" is virtual: its data are in other files, which are not opened/],
])("%s is refused by name", async (name, message) => {
  const error: unknown = await valuesOf(golden(name)).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(WeightsError);
  expect((error as Error).message).toMatch(message);
});

describe("LZF", () => {
  it.each([
    ["a literal", [2, 7, 8, 9], [7, 8, 9]],
    ["a repetition of one byte", [0, 5, 0x20 | 0, 0], [5, 5, 5, 5]],
    ["a long repetition of two bytes", [1, 1, 2, 0xe0, 1, 1], [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]],
  ])("unpacks %s", (_, packed, expected) => {
    expect([...unpackLzf(Uint8Array.from(packed), 64, "f", "p")]).toEqual(expected);
  });

  it.each([
    ["a literal beyond the end", [9, 1]],
    ["a reference before the start", [0, 5, 0x20, 1]],
    ["a reference without its byte", [0, 5, 0x20]],
    ["more bytes than the chunk has", [0, 5, 0xe0, 255, 0]],
  ])("refuses %s", (_, packed) => {
    expect(() => unpackLzf(Uint8Array.from(packed), 64, "f", "p")).toThrow(WeightsError);
  });
});
