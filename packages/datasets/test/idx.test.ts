import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIdx, readIdx } from "../src/formats/idx.ts";
import { idxBytes, put, temporaryFolder } from "./temporary.ts";

describe("readIdx", () => {
  const bytes = idxBytes(
    [2, 2, 3],
    Array.from({ length: 12 }, (_, index) => index * 20),
  );

  it.each([
    ["plain", bytes],
    ["gzipped", gzipSync(bytes)],
  ])("reads a %s file", async (_, content) => {
    const { shape, data } = await readIdx(put(temporaryFolder(), "x-idx3-ubyte", content));
    expect(shape).toEqual([2, 2, 3]);
    expect(data).toEqual(Uint8Array.from({ length: 12 }, (_, index) => index * 20));
  });

  it.each([
    ["int8", 0x09, Int8Array.of(-1, 2), [255, 2]],
    ["int16", 0x0b, Int16Array.of(-2, 258), [255, 254, 1, 2]],
    ["int32", 0x0c, Int32Array.of(-2, 16_909_060), [255, 255, 255, 254, 1, 2, 3, 4]],
    ["float32", 0x0d, Float32Array.of(1.5, -2), [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0]],
    ["float64", 0x0e, Float64Array.of(1.5, -2), [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0]],
  ])("reads %s", (_, type, expected, elements) => {
    expect(parseIdx(Uint8Array.from([0, 0, type, 1, 0, 0, 0, 2, ...elements]), "x").data).toEqual(expected);
  });

  it("gives back what was written, whatever the shape", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), (shape) => {
        const length = shape.reduce((product, side) => product * side, 1);
        const data = Uint8Array.from({ length }, (_, index) => index);
        expect(parseIdx(idxBytes(shape, data), "x")).toEqual({ shape, data });
      }),
    );
  });

  it.each([
    [
      "three bytes",
      Uint8Array.of(0, 0, 8),
      "x: expected an IDX header of 4 bytes at byte 0, found 3 in all; the file is truncated",
    ],
    [
      "a PNG",
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
      "x: expected 00 00 (the start of an IDX file) at byte 0, found 89 50; this is not an IDX file",
    ],
    [
      "an unknown type",
      Uint8Array.of(0, 0, 7, 1, 0, 0, 0, 0),
      "x: expected an element type (08, 09, 0b, 0c, 0d or 0e) at byte 2, found 07",
    ],
    ["no sides", Uint8Array.of(0, 0, 8, 0), "x: expected a number of sides from 1 at byte 3, found 00"],
    [
      "half a header",
      bytes.subarray(0, 10),
      "x: expected 3 sides of 4 bytes each at byte 4, found 6 bytes; the file is truncated",
    ],
    [
      "a truncated end",
      bytes.subarray(0, 20),
      "x: expected 12 bytes (2 x 2 x 3) at byte 16, found 4; the file is truncated",
    ],
    [
      "too much",
      Uint8Array.from([...bytes, 1, 2]),
      "x: expected 12 bytes (2 x 2 x 3) at byte 16, found 14; the file has bytes left over",
    ],
  ])("refuses %s", (_, content, message) => {
    expect(() => parseIdx(content, "x")).toThrow(message);
  });

  it("names a missing file, and a damaged gzip", async () => {
    const folder = temporaryFolder();
    await expect(readIdx(`${folder}/none`)).rejects.toThrow(`${folder}/none cannot be read: ENOENT`);
    const damaged = put(folder, "x.gz", gzipSync(bytes).subarray(0, 30));
    await expect(readIdx(damaged)).rejects.toThrow(
      `${damaged}: expected gzipped data from byte 0 to the end, but unpacking failed`,
    );
  });
});
