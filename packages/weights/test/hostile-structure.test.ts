import { useEngine } from "@convkit/engine";
import { deflateSync } from "node:zlib";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../src/bytes/byte-source.ts";
import { importModel, openWeights, WeightsError } from "../src/index.ts";
import { openSource } from "../src/load/open-weights.ts";
import {
  Hdf5File,
  chunk,
  chunked,
  float32,
  heap,
  heapTexts,
  link,
  node,
  nowhere,
  texts,
  u,
  uint8,
} from "./hdf5-files.ts";

/** What opening and reading the bytes throws, within these seconds of the processor. */
async function failure(bytes: Uint8Array, seconds = 10): Promise<WeightsError> {
  const started = process.cpuUsage();
  let error: unknown;
  try {
    const { tensors } = await openSource(memorySource(bytes, "hostile"));
    for (const tensor of tensors) tensor.read();
  } catch (thrown) {
    error = thrown;
  }
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1e6).toBeLessThan(seconds);
  expect(error).toBeInstanceOf(WeightsError);
  return error as WeightsError;
}

/** A Keras 3 file of one dataset. */
function oneDataset(file: Hdf5File, ...messages: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const dataset = file.object(...messages);
  return file.finish(file.object(link("vars", file.object(link("0", dataset)))));
}

describe("HDF5 that is built to be slow or deep", () => {
  it("a tree of chunks 50,000 nodes deep", async () => {
    const file = new Hdf5File();
    const size = node(1, 1, [chunk(0, [0], 0)]).byteLength;
    const first = file.end;
    for (let index = 1; index <= 50_000; index++) file.put(node(1, 1, [chunk(0, [0], first + index * size)]));
    const { message } = await failure(oneDataset(file, ...chunked(float32, [4], [4], first)));
    expect(message).toMatch(/expected a node of level 0/);
  });

  it("a tree of names 50,000 nodes deep", async () => {
    const file = new Hdf5File();
    const first = file.end;
    const size = node(0, 1, [u(8, 0), u(8, 0), u(8, 0)]).byteLength;
    const deep = (index: number): Buffer => {
      const whole = node(0, 1, [Buffer.concat([u(8, 0), u(8, first + index * size)]), u(8, 0)]);
      whole.writeUInt16LE(1, 6);
      return Buffer.concat([whole, Buffer.alloc(size - whole.byteLength)]);
    };
    for (let index = 1; index <= 50_000; index++) file.put(deep(index));
    const names = file.put(Buffer.from("HEAP"), u(4, 0), u(8, 8), nowhere, u(8, file.end + 32), Buffer.alloc(64));
    const { message } = await failure(file.finish(file.object([0x11, Buffer.concat([u(8, first), u(8, names)])])));
    expect(message).toMatch(/expected a node of level 0/);
  });

  it("groups whose paths double forty times", async () => {
    const file = new Hdf5File();
    let group = file.object(link("vars", file.object(link("0", 1))));
    for (let level = 0; level < 40; level++) group = file.object(link("a", group), link("b", group));
    const { message } = await failure(file.finish(file.object(link("layers", group), link("vars", group))), 30);
    expect(message).toMatch(/is there twice/);
  });

  it("5,000 layers that are one, with 5,000 weights that are one", async () => {
    const file = new Hdf5File();
    const names = Array.from({ length: 5_000 }, () => "a");
    const dataset = file.object(...chunked(float32, [1], [1], 0));
    const layer = file.object(texts("weight_names", names), link("a", dataset));
    const { message } = await failure(file.finish(file.object(texts("layer_names", names), link("a", layer))));
    expect(message).toMatch(/"a" is named twice/);
  });

  it("4,000 texts of 16 MB at one place", async () => {
    const file = new Hdf5File();
    const place = file.put(heap(Buffer.alloc(1 << 24, "a")));
    const { message } = await failure(file.finish(file.object(heapTexts("layer_names", 4_000, 1 << 24, place))));
    expect(message).toMatch(/texts/);
  });

  it("10,000 names of 8 MB at one place", async () => {
    const file = new Hdf5File();
    const names = file.put(Buffer.alloc(1 << 23, "a"));
    const local = file.put(Buffer.from("HEAP"), u(4, 0), u(8, 1 << 23), nowhere, u(8, names));
    const symbol = Buffer.concat([u(8, 0), u(8, 0), u(4, 0), Buffer.alloc(20)]);
    const symbols = file.put(
      Buffer.from("SNOD"),
      u(2, 1),
      u(2, 10_000),
      ...Array.from({ length: 10_000 }, () => symbol),
    );
    const tree = file.put(node(0, 0, []), u(8, 0), u(8, symbols), u(8, 0));
    const bytes = file.finish(file.object([0x11, Buffer.concat([u(8, tree), u(8, local)])]));
    Buffer.from(bytes.buffer, bytes.byteOffset).writeUInt16LE(1, tree + 6);
    const { message } = await failure(bytes);
    expect(message).toMatch(/texts/);
  });

  it("2,000 filters over 16 MB", async () => {
    const file = new Hdf5File();
    const data = file.put(Buffer.alloc(1 << 24));
    const tree = file.put(node(1, 0, [chunk(1 << 24, [0], data)]));
    const filters = Array.from({ length: 2_000 }, () => [2, 4] as const);
    const { message } = await failure(oneDataset(file, ...chunked(uint8, [1 << 24], [1 << 24], tree, filters)));
    expect(message).toMatch(/filter 2 twice/);
  });

  it("20,000 chunks that all say they are 16 MB", async () => {
    const file = new Hdf5File();
    const packed = deflateSync(Buffer.alloc(1));
    const data = file.put(...Array.from({ length: 20_000 }, () => packed), Buffer.alloc(1 << 24));
    const entries = Array.from({ length: 20_000 }, (_, index) =>
      chunk(1 << 24, [index], data + index * packed.byteLength),
    );
    const tree = file.put(node(1, 0, entries));
    const { message } = await failure(oneDataset(file, ...chunked(uint8, [20_000], [1], tree, [[1, 6]])));
    expect(message).toMatch(/chunks of more bytes than the file has/);
  });

  it("a hundred datasets of 200 MB, packed to nothing", async () => {
    const file = new Hdf5File();
    const data = deflateSync(Buffer.alloc(200_000_000));
    const tree = file.put(node(1, 0, [chunk(data.byteLength, [0], file.end + 80)]));
    file.put(Buffer.alloc(file.end % 8), data);
    const links = Array.from({ length: 100 }, (_, index) =>
      link(String(index), file.object(...chunked(uint8, [200_000_000], [200_000_000], tree, [[1, 6]]))),
    );
    const { message } = await failure(file.finish(file.object(link("vars", file.object(...links)))));
    expect(message).toMatch(/all datasets together/);
  });

  it("a shape of more axes than HDF5 has", async () => {
    const shape = Array.from({ length: 200 }, () => 1);
    const { message } = await failure(oneDataset(new Hdf5File(), ...chunked(uint8, shape, shape, 0)));
    expect(message).toMatch(/200 axes/);
  });
});

describe("pickles that are built to be slow or deep", () => {
  const pickle = (...codes: (number | string)[]): Uint8Array =>
    Buffer.concat([
      Buffer.from([0x80, 2]),
      ...codes.map((code) => (typeof code === "string" ? Buffer.from(code) : Buffer.from([code]))),
    ]);
  /** A tuple of itself twice, so many times over: 2^times numbers as text. */
  const doubled = (times: number): (number | string)[] => ["K", 1, ...Array.from({ length: times }, () => "2\x86")];
  const deep = (times: number): (number | string)[] =>
    ["]", ..."\x85".repeat(times)].map((code) => (code === "\x85" ? 0x85 : code));

  it.each([
    [
      "a module's name of 2^40 texts",
      pickle(
        ...doubled(40).flatMap((code) => (code === "2\x86" ? ["2", 0x86] : [code])),
        "X",
        1,
        0,
        0,
        0,
        "a",
        0x93,
        ".",
      ),
    ],
    ["a module's name 100,000 tuples deep", pickle(...deep(100_000), "X", 1, 0, 0, 0, "a", 0x93, ".")],
  ])("%s", async (_, bytes) => {
    expect((await failure(bytes)).message).toMatch(/wants to import something that has no name/);
  });
});

describe("JSON that is built to be slow or deep", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  it("a safetensors header 100,000 lists deep", async () => {
    const text = Buffer.from(`{"a":{"dtype":${nested(100_000)},"shape":[],"data_offsets":[0,0]}}`);
    const { message } = await failure(Buffer.concat([u(8, text.byteLength), text]));
    expect(message).toMatch(/at most 200 objects or arrays inside each other/);
  });

  it("a safetensors header whose offsets are a million numbers", async () => {
    const offsets = `[${"1,".repeat(1_000_000)}1]`;
    const text = Buffer.from(`{"a":{"dtype":"F32","shape":${offsets},"data_offsets":[0,0]}}`);
    const { message } = await failure(Buffer.concat([u(8, text.byteLength), text]));
    expect(message.length).toBeLessThan(2_000);
  });
});

describe("architectures that are built to be slow", () => {
  beforeAll(async () => void (await useEngine()));
  const activation = (name: string, from: string): object => ({
    class_name: "Activation",
    name,
    config: { name, activation: "relu" },
    inbound_nodes: [[[from, 0, 0, {}]]],
  });
  const input = {
    class_name: "InputLayer",
    name: "x",
    config: { name: "x", batch_input_shape: [null, 4] },
    inbound_nodes: [],
  };
  const model = (name: string, layers: readonly object[], last: string, call = 0): Record<string, unknown> => ({
    class_name: "Functional",
    config: { name, layers: [input, ...layers], input_layers: [["x", 0, 0]], output_layers: [[last, call, 0]] },
  });
  const refused = (config: Record<string, unknown>): Error => {
    const started = process.cpuUsage();
    let error: unknown;
    try {
      importModel("hostile", config).dispose();
    } catch (thrown) {
      error = thrown;
    }
    const { user, system } = process.cpuUsage(started);
    expect((user + system) / 1e6).toBeLessThan(10);
    expect(error).toBeInstanceOf(WeightsError);
    return error as Error;
  };

  it("300,000 layers", () => {
    const layers = Array.from({ length: 300_000 }, (_, index) =>
      activation(`a${index}`, index === 0 ? "x" : `a${index - 1}`),
    );
    expect(refused(model("net", layers, "a0")).message).toMatch(/more than 10000 layers and calls/);
  });

  it("layers listed from the last to the first become a model", () => {
    const layers = Array.from({ length: 1_000 }, (_, index) =>
      activation(`a${index}`, index === 0 ? "x" : `a${index - 1}`),
    );
    const made = importModel("reversed", model("net", layers.toReversed(), "a999"));
    expect(made.layers).toHaveLength(1_001);
    made.dispose();
  });

  it("a model within a model that is called twice, thirty times over", () => {
    let inner = model("m0", [activation("a", "x")], "a");
    for (let level = 1; level <= 30; level++) {
      const calls = [[["x", 0, 0, {}]], [["m", 1, 0, {}]]];
      inner = model(`m${level}`, [{ ...inner, name: "m", inbound_nodes: calls }], "m", 2);
    }
    expect(refused(inner).message).toMatch(/more than 10000 layers and calls/);
  });
});

describe("tfjs models that lie", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-tfjs-hostile-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const weight = (more: object = {}): object => ({ name: "w", shape: [4], dtype: "float32", ...more });
  const opened = async (group: object | string): Promise<Error> => {
    writeFileSync(join(folder, "a.bin"), Buffer.alloc(16));
    const manifest = typeof group === "string" ? group : JSON.stringify([group]);
    writeFileSync(join(folder, "model.json"), `{"format":"layers-model","weightsManifest":${manifest}}`);
    const error: unknown = await openWeights(folder).then(
      (file) => {
        file.tensors.map((tensor) => tensor.read());
        file.close();
      },
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WeightsError);
    return error as Error;
  };
  it.each([
    ["climbs out", { paths: ["../a.bin"], weights: [weight()] }, /leaves the model's folder/],
    ["climbs out in the middle", { paths: ["x/../../a.bin"], weights: [weight()] }, /leaves the model's folder/],
    ["is absolute", { paths: ["/etc/passwd"], weights: [weight()] }, /leaves the model's folder/],
    ["is no text", { paths: [7], weights: [weight()] }, /leaves the model's folder/],
    ["has a zero byte", { paths: ["a\0.bin"], weights: [weight()] }, /cannot be opened/],
    ["is the folder", { paths: ["."], weights: [weight()] }, /expected a file/],
    [
      "names a shard twice",
      { paths: ["a.bin", "./a.bin"], weights: [weight({ shape: [8] })] },
      /a.bin" is there twice/,
    ],
    [
      "has too few bytes",
      { paths: ["a.bin"], weights: [weight({ shape: [5] })] },
      /need 20 bytes, but its shards have 16/,
    ],
    [
      "has a shape that overflows",
      { paths: ["a.bin"], weights: [weight({ shape: [2 ** 40, 2 ** 40] })] },
      /expected name, shape/,
    ],
    [
      "has a scale of nothing",
      '[{"paths":["a.bin"],"weights":[{"name":"w","shape":[16],"dtype":"float32","quantization":{"dtype":"uint8","scale":NaN,"min":0}}]}]',
      /needs a scale and a min/,
    ],
    [
      "has a scale without end",
      '[{"paths":["a.bin"],"weights":[{"name":"w","shape":[16],"dtype":"float32","quantization":{"dtype":"uint8","scale":1e999,"min":0}}]}]',
      /needs a scale and a min/,
    ],
  ])("a path that %s", async (_, group, message) => {
    expect((await opened(group)).message).toMatch(message);
  });

  it("leave no file open that they opened", async () => {
    const count = (): number => readdirSync("/dev/fd").length;
    const before = count();
    for (let round = 0; round < 20; round++) await opened({ paths: ["a.bin", "none.bin"], weights: [weight()] });
    expect(count()).toBeLessThan(before + 10);
  });
});
