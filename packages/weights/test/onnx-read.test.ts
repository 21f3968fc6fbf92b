import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../src/index.ts";
import { onnxReads } from "../src/formats/onnx/read/table.ts";
import { onnxCases, onnxKinds, worstDifference } from "./onnx-cases.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-onnx-read-"));
beforeAll(() => useEngine());
afterAll(() => rmSync(folder, { recursive: true }));

describe("ONNX files of single operators answer as in ONNX Runtime", () => {
  it.each(onnxKinds)("%s", async (kind) => {
    const wrong: string[] = [];
    for (const one of onnxCases(kind)) {
      const path = join(folder, "case.onnx");
      writeFileSync(path, one.bytes);
      const model = await loadModel(path);
      const difference = worstDifference(model, one);
      if (!(difference <= one.tolerance)) wrong.push(`${one.title}: ${difference}`);
      model.dispose();
    }
    expect(wrong).toEqual([]);
  });

  it("and leave no tensors behind", async () => {
    const [one] = onnxCases("convolutions");
    writeFileSync(join(folder, "case.onnx"), one!.bytes);
    const load = async (): Promise<void> => {
      const model = await loadModel(join(folder, "case.onnx"));
      worstDifference(model, one!);
      model.dispose();
    };
    await load();
    const before = tf.memory().numTensors;
    await load();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("for every operator that is read", () => {
    const bytes = onnxKinds.flatMap((kind) => onnxCases(kind).map((one) => one.bytes.toString("latin1")));
    const missing = [...onnxReads.keys()].filter(
      (op) => !bytes.some((text) => text.includes(`"${String.fromCodePoint(op.length)}${op}`)),
    );
    expect(missing).toEqual([]);
  });
});
