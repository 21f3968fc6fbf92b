import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openOnnx } from "../src/formats/onnx/run.ts";
import { loadModel, saveModel } from "../src/index.ts";
import { EinsumDense } from "../src/layers/einsum-dense.ts";
import { TrainingCrop } from "../src/layers/resize.ts";
import { Operation } from "../src/operations/operation.ts";
import { registerImportLayers } from "../src/layers/register.ts";

const { dense, flatten, inputLayer, reshape, timeDistributed } = tfl.layers;
const operation = (op: string, values: object = {}): tfl.layers.Layer =>
  new Operation({ name: op, op, values: { x: { slot: 0 }, ...values } });
const ones = { kernelInitializer: "ones", biasInitializer: "ones" } as const;
const perStep = (): tfl.Sequential =>
  tfl.sequential({ layers: [flatten({ inputShape: [1, 3] }), dense({ units: 1, ...ones })] });

/** The layers after an input `[n, 1, 3]`, and what they make of the rows 0 1 2, 3 4 5 …: the shape of one sample, its values. */
const cases: Readonly<
  Record<
    string,
    {
      readonly layers: () => tfl.layers.Layer[];
      readonly shape: number[];
      readonly of: (row: number) => number[];
      /** Stock tfjs has no layers that do the same. */
      readonly isOwn?: boolean;
    }
  >
> = {
  "squeeze without axes": { layers: () => [operation("squeeze")], shape: [3], of: row },
  "squeeze without axes, twice": {
    layers: () => [operation("squeeze"), new Operation({ name: "again", op: "squeeze", values: { x: { slot: 0 } } })],
    shape: [3],
    of: row,
  },
  "squeeze with an axis": { layers: () => [operation("squeeze", { axis: 1 })], shape: [3], of: row },
  "reshape to one open size": { layers: () => [reshape({ targetShape: [null as never, 1] })], shape: [3, 1], of: row },
  "sort from the largest": {
    layers: () => [operation("sort", { direction: "DESCENDING" })],
    shape: [1, 3],
    of: (i) => row(i).toReversed(),
    isOwn: true,
  },
  "places from the largest, along the first axis": {
    layers: () => [
      operation("swapaxes", { axis1: 1, axis2: 2 }),
      operation("argsort", { axis: 1, direction: "DESCENDING" }),
    ],
    shape: [3, 1],
    of: () => [2, 1, 0],
    isOwn: true,
  },
  // JSON has no such number, and tfjs writes texts in small letters.
  "an infinite bound": {
    layers: () => [operation("clip", { x_min: 1, x_max: { number: "Infinity" } })],
    shape: [1, 3],
    of: (i) => row(i).map((value) => Math.max(value, 1)),
    isOwn: true,
  },
  "an equation with capitals": {
    layers: () => [
      new Operation({ name: "turn", op: "einsum", values: { subscripts: "aBb->abB", operands: [{ slot: 0 }] } }),
    ],
    shape: [3, 1],
    of: row,
    isOwn: true,
  },
  "an equation with capitals, and a kernel": {
    layers: () => [
      new EinsumDense({
        name: "sum",
        equation: "aCc,cB->aCB",
        outputShape: [null, 1],
        kernelInitializer: { className: "Ones", config: {} },
      } as never),
    ],
    shape: [1, 1],
    of: (i) => [9 * i + 3],
    isOwn: true,
  },
  flatten: { layers: () => [flatten()], shape: [3], of: row },
  "a model at every step": {
    layers: () => [reshape({ targetShape: [1, 1, 3] }), timeDistributed({ layer: perStep() })],
    shape: [1, 1],
    of: (i) => [9 * i + 4],
  },
};

function row(index: number): number[] {
  return [3 * index, 3 * index + 1, 3 * index + 2];
}

describe("models that were written, at a batch of one sample and of two", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-batches-"));
  beforeAll(async () => {
    await useEngine();
    registerImportLayers();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(cases))("%s", async (title, { layers, shape, of, isOwn = false }) => {
    const model = tfl.sequential({ layers: [inputLayer({ inputShape: [1, 3] }), ...layers()] });
    const at = (ending: string): string => join(folder, title.replaceAll(/[ ,]/g, "-") + ending);
    await saveModel(model, at(".onnx"));
    if (!isOwn) await saveModel(model, at("-stock"), { format: "tfjs", stock: true });
    await saveModel(model, at("-tfjs"), { format: "tfjs" });
    const session = await openOnnx(at(".onnx"));
    const predict = (own: tfl.LayersModel) => (x: tf.Tensor) => own.predict(x) as tf.Tensor;
    const runs: (readonly [string, (x: tf.Tensor) => tf.Tensor | Promise<tf.Tensor>])[] = [
      ["the model", predict(model)],
      ["onnx", async (x) => (await session.run([x]))[0]!],
      ...(isOwn ? [] : [["stock tfjs", predict(await loadModel(at("-stock")))] as const]),
      ["tfjs", predict(await loadModel(at("-tfjs")))],
    ];
    for (const batch of [1, 2]) {
      const rows = Array.from({ length: batch }, (_, index) => index);
      const x = tf.tensor(rows.flatMap(row), [batch, 1, 3]);
      for (const [name, run] of runs) {
        const y = await run(x);
        expect([name, y.shape], `${name}, ${batch}`).toEqual([name, [batch, ...shape]]);
        expect([...y.dataSync()], `${name}, ${batch}`).toEqual(rows.flatMap(of));
      }
    }
    await session.dispose();
  });

  it("a layer whose sizes in prediction are not those that the model states is refused for ONNX", async () => {
    const crop = new TrainingCrop({ name: "crop", height: 2, width: 2, inputShape: [4, 5, 3] } as never);
    const model = tfl.sequential({ layers: [crop, flatten()] });
    await expect(saveModel(model, join(folder, "crop.onnx"))).rejects.toThrow(
      /crop, \w+: gives \[batch, 4, 5, 3\] in prediction, where the model states \[batch, 2, 2, 3\]/,
    );
  });

  it("a model at every step becomes safetensors where PyTorch's order is that of the steps", async () => {
    const steps = (inner: tfl.layers.Layer[]): tfl.Sequential =>
      tfl.sequential({
        layers: [timeDistributed({ inputShape: [2, 2, 3], layer: tfl.sequential({ layers: inner }) as never })],
      });
    const plain = steps([dense({ inputShape: [2, 3], units: 2 })]);
    await expect(saveModel(plain, join(folder, "plain.safetensors"))).resolves.toMatchObject({ tensors: 2 });
    const flat = steps([flatten({ inputShape: [2, 3] })]);
    flat.add(dense({ units: 1, name: "last" }));
    await expect(saveModel(flat, join(folder, "flat.safetensors"))).rejects.toThrow(
      /last\/kernel: the order of its features after TimeDistributed is not known/,
    );
  });
});
