import { useEngine } from "@convkit/engine";
import * as fc from "fast-check";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../src/bytes/byte-source.ts";
import { encodeOnnx } from "../src/formats/onnx/protos.ts";
import type { OnnxMessage } from "../src/formats/onnx/protos.ts";
import { loadOnnx } from "../src/formats/onnx/read/model.ts";
import { loadModel, WeightsError } from "../src/index.ts";
import { onnxCases, onnxKinds } from "./onnx-cases.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-onnx-hostile-"));
beforeAll(() => useEngine());
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads the bytes: undefined, or what was thrown. */
async function thrown(bytes: Uint8Array): Promise<unknown> {
  try {
    (await loadOnnx(memorySource(bytes, "hostile"))).dispose();
    return undefined;
  } catch (error) {
    return error;
  }
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

describe("an ONNX file", () => {
  const files = onnxKinds.flatMap((kind) => onnxCases(kind).filter((_, index) => index % 5 === 0));

  it("cut off at any byte is one WeightsError", async () => {
    const { bytes } = files[0]!;
    for (let length = 0; length < bytes.byteLength - 16; length += 7) {
      const error = await thrown(bytes.subarray(0, length));
      expect(error, `cut at ${length}`).toBeInstanceOf(WeightsError);
      expect((error as WeightsError).file).toContain("hostile");
    }
  });

  it("with any bytes changed is read or is one WeightsError, in bounded time", async () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
      run: fc.constantFrom(1, 1, 1, 2, 4, 8),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (index, changes) => {
          const bytes = Uint8Array.from(files[index]!.bytes);
          for (const { at, value, run } of changes) {
            const start = Math.floor(at * bytes.byteLength);
            bytes.fill(value, start, start + run);
          }
          const started = process.cpuUsage();
          const error = await thrown(bytes);
          expect(cpuSeconds(started)).toBeLessThan(10);
          if (error !== undefined) expect(error).toBeInstanceOf(WeightsError);
        },
      ),
      { numRuns: 500 },
    );
  });
});

const value = (name: string, ...sizes: number[]): OnnxMessage => ({
  name,
  type: { tensor_type: { elem_type: 1, shape: { dim: sizes.map((dim_value) => ({ dim_value })) } } },
});
const node = (op_type: string, input: string[], output: string[], attribute: OnnxMessage[] = []): OnnxMessage => ({
  op_type,
  name: `the ${op_type}`,
  input,
  output,
  attribute,
});
const floats = (name: string, dims: number[], count: number): OnnxMessage => ({
  name,
  dims,
  data_type: 1,
  raw_data: new Uint8Array(4 * count),
});
const whole = (name: string, values: number[]): OnnxMessage => ({
  name,
  dims: [values.length],
  data_type: 7,
  int64_data: values,
});
const ints = (name: string, values: number[]): OnnxMessage => ({ name, type: 7, ints: values });

function file(nodes: OnnxMessage[], initializer: OnnxMessage[] = [], rest: OnnxMessage = {}, version = 17): Uint8Array {
  return encodeOnnx("ModelProto", {
    ir_version: 8,
    opset_import: [{ domain: "", version }],
    graph: { node: nodes, name: "g", initializer, input: [value("x", 1, 3, 8, 8)], output: [value("y")], ...rest },
  });
}

describe("an ONNX file that lies", () => {
  const conv = node("Conv", ["x", "w"], ["y"]);
  it.each([
    [
      "an operator that is not known",
      file([node("Warp", ["x"], ["y"])]),
      /node 0 Warp "the Warp": the operator Warp is not known/,
    ],
    [
      "a circle",
      file([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])]),
      /depends on itself/,
    ],
    ["an input that is missing", file([node("Add", ["x", "nothing"], ["y"])]), /takes "nothing", which does not exist/],
    [
      "two nodes of one output",
      file([node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["y"])]),
      /makes "y", which another node/,
    ],
    [
      "two initializers of one name",
      file([conv], [floats("w", [4, 3, 1, 1], 12), floats("w", [4, 3, 1, 1], 12)]),
      /"w": is there twice/,
    ],
    [
      "an initializer shorter than its sizes",
      file([conv], [floats("w", [4, 3, 3, 3], 12)]),
      /takes 432 bytes, the file has 48/,
    ],
    [
      "sizes whose product overflows",
      file([conv], [floats("w", [2 ** 40, 2 ** 40, 1, 1], 12)]),
      /expected sizes of a tensor/,
    ],
    ["a negative size", file([conv], [floats("w", [-4, 3, 1, 1], 12)]), /expected sizes of a tensor/],
    [
      "a kernel that does not fit",
      file([conv], [floats("w", [4, 5, 1, 1], 20)]),
      /does not fit an input of 3 channels/,
    ],
    [
      "a kernel larger than the map",
      file([conv], [floats("w", [4, 3, 9, 1], 108)]),
      /its window of 9 does not fit into a map of 8/,
    ],
    [
      "pads of 2^40",
      file([node("Conv", ["x", "w"], ["y"], [ints("pads", [0, 0, 2 ** 40, 0])])], [floats("w", [4, 3, 1, 1], 12)]),
      /whole numbers as its pads/,
    ],
    [
      "strides of 0",
      file([node("MaxPool", ["x"], ["y"], [ints("kernel_shape", [2, 2]), ints("strides", [0, 1])])]),
      /above 0 as its strides/,
    ],
    [
      "a constant of 2^60 numbers",
      file([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])], [whole("s", [2 ** 30, 2 ** 30])]),
      /more than the file has numbers for/,
    ],
    [
      "a constant tiled to 2^50 numbers",
      file(
        [node("Tile", ["s", "r"], ["c"]), node("Reshape", ["x", "c"], ["y"])],
        [whole("s", [1]), whole("r", [2 ** 30])],
      ),
      /more than the file has numbers for/,
    ],
    [
      "a constant padded to 2^40 numbers",
      file(
        [node("Pad", ["w", "p"], ["c"]), node("Add", ["x", "c"], ["y"])],
        [floats("w", [1, 1], 1), whole("p", [2 ** 20, 2 ** 20, 0, 0])],
      ),
      /more than the file has numbers for/,
    ],
    [
      "a reshape to another number",
      file([node("Reshape", ["x", "s"], ["y"])], [whole("s", [1, 7, 5])]),
      /cannot reshape/,
    ],
    [
      "scales of 0",
      file([node("Resize", ["x", "", "k"], ["y"])], [floats("k", [4], 4)]),
      /resizes the channels or the batch/,
    ],
    [
      "an axis that does not exist",
      file([node("Concat", ["x", "x"], ["y"], [{ name: "axis", type: 2, i: 9 }])]),
      /expected an axis of 4, got 9/,
    ],
    ["an operator set of 99", file([conv], [floats("w", [4, 3, 1, 1], 12)], {}, 99), /expected an operator set from 7/],
    ["no output", file([conv], [floats("w", [4, 3, 1, 1], 12)], { output: [] }), /expected an output/],
    [
      "an output that nothing makes",
      file([conv], [floats("w", [4, 3, 1, 1], 12)], { output: [value("z")] }),
      /output "z": no node makes it/,
    ],
    [
      "an output that is constant",
      file([node("Identity", ["w"], ["y"])], [floats("w", [4], 4)]),
      /does not depend on the model's input/,
    ],
    [
      "external data outside the folder",
      file(
        [conv],
        [
          {
            ...floats("w", [4, 3, 1, 1], 0),
            data_location: 1,
            external_data: [{ key: "location", value: "../secret" }],
          },
        ],
      ),
      /expected external data beside the model/,
    ],
    [
      "external data by an absolute path",
      file(
        [conv],
        [
          {
            ...floats("w", [4, 3, 1, 1], 0),
            data_location: 1,
            external_data: [{ key: "location", value: "/etc/passwd" }],
          },
        ],
      ),
      /expected external data beside the model/,
    ],
  ])("%s", async (_, bytes, message) => {
    const error = await thrown(bytes);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
    expect((error as WeightsError).file).toBe("hostile");
  });

  it("external data behind a link out of the folder", async () => {
    mkdirSync(join(folder, "inside"));
    writeFileSync(join(folder, "secret.bin"), new Uint8Array(48));
    symlinkSync(join(folder, "secret.bin"), join(folder, "inside", "data.bin"));
    const linked = {
      ...floats("w", [4, 3, 1, 1], 0),
      data_location: 1,
      external_data: [{ key: "location", value: "data.bin" }],
    };
    writeFileSync(join(folder, "inside", "net.onnx"), file([conv], [linked]));
    await expect(loadModel(join(folder, "inside", "net.onnx"))).rejects.toThrow(/is a link to another folder/);
  });

  it("external data beside the model are read", async () => {
    const data = Float32Array.from({ length: 14 }, (_, index) => index);
    writeFileSync(join(folder, "beside.bin"), new Uint8Array(data.buffer));
    const external = [
      { key: "location", value: "beside.bin" },
      { key: "offset", value: "8" },
      { key: "length", value: "48" },
    ];
    writeFileSync(
      join(folder, "beside.onnx"),
      file([conv], [{ ...floats("w", [4, 3, 1, 1], 0), data_location: 1, external_data: external }]),
    );
    const model = await loadModel(join(folder, "beside.onnx"));
    expect(model.inputs[0]!.shape).toEqual([null, 8, 8, 3]);
    // ONNX' [filter, channel] is tfjs' [channel, filter].
    expect([...model.weights[0]!.read().dataSync()]).toEqual([2, 5, 8, 11, 3, 6, 9, 12, 4, 7, 10, 13]);
    model.dispose();
  });
});
