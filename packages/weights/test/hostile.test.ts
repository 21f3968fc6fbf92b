import { useEngine } from "@convkit/engine";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { memorySource } from "../src/bytes/byte-source.ts";
import { importModel, WeightsError } from "../src/index.ts";
import { openSource } from "../src/load/open-weights.ts";

const files = [
  "keras3.h5",
  "keras3.keras",
  "keras3-bzip2.keras",
  "keras3-lzma.keras",
  "keras3.weights.h5",
  "keras2-weights.h5",
  "latest.h5",
  "hdf5/v200.h5",
  "state.pth",
  "state-legacy.pth",
  "traced.pt",
  "exported.pt2",
  "whole.pth",
  "state.safetensors",
  "array.npy",
  "arrays.npz",
] as const;
const golden = (name: string): Uint8Array => readFileSync(fileURLToPath(new URL(`golden/${name}`, import.meta.url)));

/** Opens the bytes and reads every tensor: undefined, or what was thrown. */
async function readAll(bytes: Uint8Array): Promise<unknown> {
  try {
    const { tensors } = await openSource(memorySource(bytes, "hostile"));
    for (const tensor of tensors) tensor.read();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Seconds of the processor since then: other processes do not count, milliseconds are the rule. */
function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

describe.each(files)("%s", (name) => {
  const whole = golden(name);

  it("cut off at any byte is one WeightsError", async () => {
    const step = Math.ceil(whole.byteLength / 800);
    for (let length = 0; length < whole.byteLength; length += step) {
      const error = await readAll(whole.subarray(0, length));
      expect(error, `cut at ${length}`).toBeInstanceOf(WeightsError);
      expect((error as WeightsError).file).toContain("hostile");
    }
  });

  it("with any bytes changed is read or is one WeightsError, in bounded time", async () => {
    const change = fc.record({
      at: fc.nat(whole.byteLength - 1),
      value: fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
      run: fc.constantFrom(1, 1, 2, 4, 8),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const { at, value, run } of changes) bytes.fill(value, at, at + run);
        const started = process.cpuUsage();
        const error = await readAll(bytes);
        expect(cpuSeconds(started)).toBeLessThan(10);
        if (error !== undefined) expect(error).toBeInstanceOf(WeightsError);
      }),
      { numRuns: 400 },
    );
  });
});

describe("HDF5 chunks that lie", () => {
  const changed = (at: number, run: number): Uint8Array => golden("keras2-weights.h5").fill(0xff, at, at + run);

  it("a chunk before its dataset", async () => {
    const error = await readAll(changed(12600, 8));
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(/has a chunk at \[-1,0\], which is no place for one/);
  });

  it("shuffled elements of 4 GB, which hold nothing to shuffle, in bounded time", async () => {
    const started = process.cpuUsage();
    await readAll(changed(12074, 2));
    expect(cpuSeconds(started)).toBeLessThan(5);
  });
});

/** A safetensors file with this header and this much data. */
function safetensors(header: unknown, data = 0, stated?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.byteLength + data);
  new DataView(bytes.buffer).setBigUint64(0, stated ?? BigInt(text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

describe("safetensors that lie", () => {
  const tensor = (begin: number, end: number, shape: unknown = [2]): object => ({
    dtype: "F32",
    shape,
    data_offsets: [begin, end],
  });
  it.each([
    ["a header of 2^62 bytes", safetensors({}, 0, 1n << 62n), /claims 4611686018427387904 bytes/],
    ["a header larger than the file", safetensors({}, 0, 100n), /claims 100 bytes/],
    ["a header that is no JSON", safetensors("{nope"), /not JSON/],
    ["overlapping tensors", safetensors({ a: tensor(0, 8), b: tensor(4, 12) }, 12), /starts at 4/],
    ["a hole", safetensors({ a: tensor(0, 8), b: tensor(12, 20) }, 20), /starts at 12/],
    ["bytes after the last tensor", safetensors({ a: tensor(0, 8) }, 9), /the tensors end here/],
    ["offsets past the file", safetensors({ a: tensor(0, 8) }, 4), /the tensors end here/],
    ["a shape that overflows", safetensors({ a: tensor(0, 8, [2 ** 40, 2 ** 40]) }, 8), /is not a shape/],
    ["a negative size", safetensors({ a: tensor(0, 8, [-2]) }, 8), /is not a shape/],
    [
      "an unknown type",
      safetensors({ a: { dtype: "constructor", shape: [2], data_offsets: [0, 8] } }, 8),
      /element type "constructor"/,
    ],
    ["a tensor named __proto__ that is nothing", safetensors('{"__proto__":1}'), /expected an object/],
  ])("%s", async (_, bytes, message) => {
    const error = await readAll(bytes);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
  });
});

/** A zip archive of one entry, with what its directory states about it. */
function zip(
  name: string,
  data: Uint8Array,
  { method = 0, plain = data.byteLength, packed = data.byteLength } = {},
): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  const header = (signature: number, extra: number): DataView => {
    const view = new DataView(new ArrayBuffer(extra));
    view.setUint32(0, signature, true);
    return view;
  };
  const local = header(0x04034b50, 30);
  local.setUint16(26, encoded.byteLength, true);
  const central = header(0x02014b50, 46);
  central.setUint16(10, method, true);
  central.setUint32(20, packed, true);
  central.setUint32(24, plain, true);
  central.setUint16(28, encoded.byteLength, true);
  const end = header(0x06054b50, 22);
  end.setUint16(10, 1, true);
  end.setUint32(12, 46 + encoded.byteLength, true);
  end.setUint32(16, 30 + encoded.byteLength + data.byteLength, true);
  return Buffer.concat([
    new Uint8Array(local.buffer),
    encoded,
    data,
    new Uint8Array(central.buffer),
    encoded,
    new Uint8Array(end.buffer),
  ]);
}

describe("zip archives that lie", () => {
  const bomb = deflateRawSync(new Uint8Array(1 << 24));
  it.each([
    ["a path that climbs out", zip("../../etc/passwd", new Uint8Array(4)), /invalid relative path/],
    ["an absolute path", zip("/etc/passwd", new Uint8Array(4)), /absolute path/],
    ["a drive", zip("C:/x", new Uint8Array(4)), /absolute path/],
    [
      "a bomb that admits its size",
      zip("archive/data.pkl", bomb, { method: 8, plain: 0xfffffff0 }),
      /unpack to 4294967280 bytes/,
    ],
    [
      "a bomb that hides its size",
      zip("archive/data.pkl", bomb, { method: 8, plain: 1000 }),
      /does not unpack to 1000 bytes/,
    ],
    [
      "an entry larger than the file",
      zip("archive/data.pkl", new Uint8Array(4), { packed: 1 << 20, plain: 1 << 20 }),
      /overflows file bounds/,
    ],
    ["an unknown method", zip("archive/data.pkl", new Uint8Array(4), { method: 99 }), /method \(99\)/],
  ])("%s", async (_, bytes, message) => {
    const error = await readAll(bytes);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
  });
});

describe("pickles that want more than tensors", () => {
  const text = (value: string): number[] => [...new TextEncoder().encode(value)];
  const pickle = (...codes: (number | string)[]): Uint8Array =>
    Uint8Array.from([0x80, 2, ...codes.flatMap((code) => (typeof code === "string" ? text(code) : [code]))]);
  /** A list of a list of …, each twice in the next. */
  const sharedLists = (depth: number): (number | string)[] => [
    "]q",
    0,
    ...Array.from({ length: depth }, (_, level) => ["(h", level, "h", level, "lq", level + 1]).flat(),
  ];
  it.each([
    ["os.system", pickle("cos\nsystem\n(X", 2, 0, 0, 0, "id", "tR."), /wants to import os.system/],
    [
      "builtins.eval by STACK_GLOBAL",
      pickle(0x8c, 8, "builtins", 0x8c, 4, "eval", 0x93, 0x29, "R."),
      /wants to import builtins.eval/,
    ],
    ["a class with a getter of ours", pickle("c__proto__\nconstructor\n)R."), /wants to import __proto__.constructor/],
    ["calling a number", pickle("K", 1, ")R."), /calls something that is no class/],
    ["an old protocol's opcode", pickle("I01\n."), /opcode 0x49 is not allowed/],
    ["an empty stack", pickle("."), /takes more from its stack/],
    ["a text of 2 GB", pickle("X", 0, 0, 0, 0x7f), /too long/],
    ["lists that share their items, 2^40 of them", pickle(...sharedLists(40), "."), /more than 300000 others/],
    ["a list that holds itself", pickle("]q", 0, "h", 0, "a."), /expected a dict of tensors/],
    ["a long number", pickle(0x8b, 0, 0, 0, 0x40, "."), /a number of 1073741824 bytes/],
    [
      "bytes longer than the file",
      pickle(0x8e, 0, 0, 0, 0x40, 0, 0, 0, 0, "."),
      /a value of 1073741824 bytes is too long/,
    ],
    ["a memo that holds nothing", pickle("h", 9, "."), /nothing is kept at 9/],
    ["ten million dicts", new Uint8Array(10_000_000).fill(0x7d, 2).fill(0x80, 0, 1).fill(2, 1, 2), /steps/],
  ])("%s", async (_, data, message) => {
    for (const bytes of [zip("archive/data.pkl", data), data]) {
      const error = await readAll(bytes);
      expect(error).toBeInstanceOf(WeightsError);
      expect((error as Error).message).toMatch(message);
    }
  });
});

describe("architectures that lie", async () => {
  const config = (await openSource(memorySource(golden("keras3.keras"), "hostile"))).config!;
  const places: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (path.length > 0) places.push(path);
    if (Array.isArray(value)) value.forEach((part, index) => walk(part, [...path, index]));
    else if (typeof value === "object" && value !== null)
      for (const [key, part] of Object.entries(value)) walk(part, [...path, key]);
  };
  walk(config, []);

  it("with any part replaced become a model or are one WeightsError, in bounded time and memory", async () => {
    await useEngine();
    const junk = fc.constantFrom<unknown>(
      null,
      -1,
      0,
      1e9,
      2 ** 53,
      Number.NaN,
      "",
      "conv",
      "__proto__",
      [],
      [[]],
      {},
      [null, 1e9, 1e9, 3],
      { class_name: "Conv2D" },
      true,
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: places.length - 1 }), junk, (place, value) => {
        const path = places[place]!;
        const changed = structuredClone(config) as Record<string | number, unknown>;
        const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string | number, unknown>, changed);
        parent[path.at(-1)!] = value;
        const started = process.cpuUsage();
        try {
          importModel("hostile", changed, { maxNumbers: 100_000 }).dispose();
        } catch (error) {
          expect(error).toBeInstanceOf(WeightsError);
        }
        expect(cpuSeconds(started)).toBeLessThan(10);
      }),
      { numRuns: 600 },
    );
  });
});
