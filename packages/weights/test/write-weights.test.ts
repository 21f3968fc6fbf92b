import { peerPython } from "@convkit/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { dtypeBytes, storedTensor } from "../src/bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../src/bytes/named-tensor.ts";
import { convertWeights, listWeights, openWeights, WeightsError, writeWeights } from "../src/index.ts";
import { runPython } from "./peers/run-python.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-containers-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Bytes that are a number of every type, and whose sums are small: powers of two. */
const patterns: Readonly<Record<StoredType, readonly [bytes: readonly number[], value: number | undefined]>> = {
  float64: [[0, 0, 0, 0, 0, 0, 0x04, 0x40], 2.5],
  float32: [[0, 0, 0x20, 0xc0], -2.5],
  float16: [[0x00, 0xc1], -2.5],
  bfloat16: [[0x20, 0x40], 2.5],
  float8_e4m3fn: [[0x42], 2.5],
  float8_e5m2: [[0xc1], -2.5],
  complex64: [[0, 0, 0x20, 0xc0, 0, 0, 0x20, 0x40], undefined],
  complex128: [[0, 0, 0, 0, 0, 0, 0x04, 0x40, 0, 0, 0, 0, 0, 0, 0x04, 0xc0], undefined],
  int64: [[0, 0, 0, 0, 1, 0, 0, 0], 2 ** 32],
  int32: [[0xfe, 0xff, 0xff, 0xff], -2],
  int16: [[0xfd, 0xff], -3],
  int8: [[0xfc], -4],
  uint64: [[0, 0, 0, 0, 2, 0, 0, 0], 2 ** 33],
  uint32: [[0, 0, 0, 0x80], 2 ** 31],
  uint16: [[0xff, 0xff], 65_535],
  uint8: [[0xff], 255],
  bool: [[1], 1],
};

const types = Object.keys(dtypeBytes) as StoredType[];
const tensorOf = (name: string, dtype: StoredType, shape: readonly number[]): NamedTensor => {
  const count = shape.reduce((product, side) => product * side, 1);
  const bytes = Uint8Array.from(Array.from({ length: count }, () => patterns[dtype][0]).flat());
  return storedTensor("memory", { name, dtype, shape, place: name, readBytes: () => Uint8Array.from(bytes) });
};
/** A scalar, an odd number of elements and none at all of every type. */
const tensorsOf = (known: readonly StoredType[]): NamedTensor[] =>
  known.flatMap((dtype) => [
    tensorOf(`layer.0.${dtype}`, dtype, [3, 1]),
    tensorOf(`group/${dtype}`, dtype, []),
    tensorOf(`${dtype} leer ü`, dtype, [0, 2]),
  ]);
const expected = (tensors: readonly NamedTensor[]) =>
  new Map(
    tensors.map(({ name, shape, dtype, readBytes }) => {
      const count = readBytes().byteLength / dtypeBytes[dtype];
      const value = patterns[dtype][1];
      const checksum = crc32(readBytes()).toString(16).padStart(8, "0");
      return [
        name,
        { name, shape, dtype, sum: value === undefined ? undefined : count === 0 ? 0 : value * count, crc32: checksum },
      ];
    }),
  );
const listedOf = async (path: string) =>
  new Map((await listWeights(path)).weights.map((weight) => [weight.name, weight]));

const withoutTypes = (...left: StoredType[]): StoredType[] => types.filter((dtype) => !left.includes(dtype));
const containers = [
  ["a.pth", types],
  ["a.safetensors", withoutTypes("complex128")],
  ["a.npz", withoutTypes("float8_e4m3fn", "float8_e5m2")],
  ["a.h5", withoutTypes("float8_e4m3fn", "float8_e5m2", "complex64", "complex128")],
] as const;

describe.each(containers)("%s", (name, known) => {
  it("keeps names, types, shapes and bytes of every type", async () => {
    const tensors = tensorsOf(known);
    const report = await writeWeights(at(name), tensors);
    expect(report.tensors).toBe(tensors.length);
    expect(await listedOf(at(name))).toEqual(expected(tensors));
  });

  it("refuses the types that it has not, and writes nothing", async () => {
    for (const dtype of types.filter((each) => !known.includes(each))) {
      const written = writeWeights(at(`none-${name}`), [tensorOf("x", dtype, [2])]);
      await expect(written).rejects.toThrow(WeightsError);
      await expect(openWeights(at(`none-${name}`))).rejects.toThrow(/there is no such file/);
    }
  });

  it("refuses a name twice", async () => {
    const twice = [tensorOf("x", "int8", [1]), tensorOf("x", "int8", [2])];
    await expect(writeWeights(at(`twice-${name}`), twice)).rejects.toThrow(/two tensors have the name "x"/);
  });
});

it("containers convert into each other, there and back", async () => {
  const common = types.filter((dtype) =>
    containers.every(([, known]) => (known as readonly StoredType[]).includes(dtype)),
  );
  const tensors = tensorsOf(common);
  await writeWeights(at("first.pth"), tensors);
  let from = "first.pth";
  for (const to of ["b.npz", "b.h5", "b.safetensors", "c.h5", "c.npz", "c.pth", "d.safetensors", "d.npz", "e.pth"]) {
    await convertWeights(at(from), at(to));
    from = to;
  }
  expect(await listedOf(at(from))).toEqual(expected(tensors));
});

it.each([
  ["../up", "x.npz", /is no name of a file in an archive/],
  ["/root", "x.npz", /is no name of a file in an archive/],
  ["a//b", "x.h5", /is no path in an HDF5 file/],
  ["..", "x.h5", /is no path in an HDF5 file/],
  ["__metadata__", "x.safetensors", /has no such name/],
])("the name %s is refused in %s", async (name, file, message) => {
  await expect(writeWeights(at(file), [tensorOf(name, "int8", [1])])).rejects.toThrow(message);
});

it("a tensor within a tensor is refused in HDF5", async () => {
  const [tensor, inner] = [tensorOf("a", "int8", [1]), tensorOf("a/b", "int8", [1])];
  await expect(writeWeights(at("x.h5"), [tensor, inner])).rejects.toThrow(/lies in "a", which is a tensor/);
  await expect(writeWeights(at("x.h5"), [inner, tensor])).rejects.toThrow(/is a group of others, too/);
});

describe.skipIf(peerPython === undefined)("read by their makers", () => {
  it("PyTorch, NumPy and h5py find the same bytes and types", async () => {
    for (const [name, known] of containers) await writeWeights(at(`peer-${name}`), tensorsOf(known));
    const read = JSON.parse(runPython("read-containers.py", folder)) as Record<
      string,
      Record<string, [dtype: string, shape: number[], crc32: string]>
    >;
    for (const [name, known] of containers) {
      const rows = [...expected(tensorsOf(known)).values()].map((row) => [row.name, [row.dtype, row.shape, row.crc32]]);
      expect(read[`peer-${name}`], name).toEqual(Object.fromEntries(rows));
    }
  });
});
