import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { plainTensors } from "../src/formats/keras/dequantize.ts";
import { loadModel } from "../src/index.ts";
import { memoryTensor } from "../src/bytes/named-tensor.ts";

// The files were written by tools/golden/weights-quantized.py; the numbers are of Keras' float kernels.
const golden = (name: string): string => fileURLToPath(new URL(`golden/quantized/${name}`, import.meta.url));
const numbers = JSON.parse(readFileSync(golden("numbers.json"), "utf8")) as Record<string, number[][]>;

describe("a Keras file", () => {
  beforeAll(() => useEngine("wasm"));

  it.each([
    ["int8.keras", "is quantized to int8"],
    ["int4.keras", "is quantized to int4"],
    ["float8.keras", "is quantized to float8"],
    ["lora.h5", "has LoRA beside the kernels"],
  ])("%s gives the float weights, and a note", async (name, note) => {
    const notes: string[] = [];
    const model = await loadModel(golden(name), { onNote: (text) => notes.push(text) });
    const output = tf.tidy(
      () => (model.predict(tf.tensor2d(numbers["inputs"]!)) as tf.Tensor).arraySync() as number[][],
    );
    const wanted = numbers[name.replace(/\..*/, "")]!;
    for (const [row, values] of wanted.entries())
      for (const [column, value] of values.entries()) expect(output[row]![column]).toBeCloseTo(value, 4);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(`${golden(name)} ${note}`);
    for (const layer of ["first", "einsum", "last"]) expect(notes[0]).toContain(`"${layer}"`);
    model.dispose();
  });
});

it("kernels of older Keras, packed along their first axis, are unpacked", () => {
  // Rows -3 7, 2 -8, 1 0 with one scale for each column: Keras' own example of pack_int4(axis=0).
  const bytes = Int8Array.of(45, -121, 1, 0);
  const packed = { ...memoryTensor("0", [2, 2], Int32Array.from(bytes)), dtype: "int8" as const };
  const kernel = { ...packed, readBytes: () => new Uint8Array(bytes.buffer) };
  const scale = memoryTensor("1", [2], Float32Array.of(2, 4));
  const plain = plainTensors({ className: "Dense", shapes: [[3, 2]] }, [kernel, scale]);
  expect(plain?.what).toBe("int4");
  expect([...plain!.tensors[0]!.read()]).toEqual([-1.5, 1.75, 1, -2, 0.5, 0]);
});
