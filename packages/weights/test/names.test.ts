import { useEngine } from "@convkit/engine";
import { withoutDrawing } from "@convkit/core";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isComputedInTests } from "@convkit/testing";
import { assemble } from "@convkit/testing/assemble";
import { beforeAll, describe, expect, it } from "vitest";
import { loadWeights, saveModel } from "../src/index.ts";
import { modelLayers } from "../src/model/model-layers.ts";
import { fromTorchOrder, kernelRows, toTorchOrder } from "../src/formats/torch/axis-order.ts";
import type { TensorData } from "../src/bytes/named-tensor.ts";
import { ownLayerName, torchLayerName } from "../src/formats/torch/names.ts";
import { torchWeights } from "../src/formats/torch/weights.ts";
import { transposeWasm } from "../src/bytes/transpose-wasm.ts";

beforeAll(() => useEngine());

describe("names of layers", () => {
  const named = [
    "vgg16",
    "vgg19",
    ...Object.keys(zoo)
      .filter(
        (name) =>
          /-tv$|-bn$|^resne[tx]t?(18|34|50-32)|^alexnet|^squeezenet|^mobilenet-v3|^mnasnet|^regnet|^convnext/.test(
            name,
          ) || /^shufflenet|^efficientnet-v2/.test(name),
      )
      .filter(isComputedInTests),
  ] as ModelName[];
  it.each(named)("%s: to PyTorch and back is the same, and no two meet", (name) => {
    const model = withoutDrawing(() => createModel(name));
    const own = modelLayers(model).flatMap(({ name: layer, weights }) => (weights.length > 0 ? [layer] : []));
    const theirs = own.map((layer) => torchLayerName(name, layer));
    expect(theirs.map((layer) => ownLayerName(name, layer))).toEqual(own);
    expect(new Set(torchWeights(model).map(({ torchName }) => torchName)).size).toBe(model.weights.length);
    model.dispose();
  });

  it("vgg16's are those of torchvision's state", () => {
    const model = withoutDrawing(() => createModel("vgg16"));
    const names = torchWeights(model).map(({ torchName }) => torchName);
    const numbers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
    const layers = [...numbers.map((number) => `features.${number}`), "classifier.0", "classifier.3", "classifier.6"];
    expect(names).toEqual(layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]));
    expect(torchWeights(model).find(({ torchName }) => torchName === "classifier.0.weight")!.torchShape).toEqual([
      4096, 25_088,
    ]);
    model.dispose();
  });
});

describe("PyTorch's order of axes", () => {
  const isSame = (a: TensorData, b: TensorData): boolean => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
  it.each([
    [5, 3, 2, 7],
    [300, 3, 3, 70],
    [1100, 1, 2, 70],
    [512, 1, 1, 128],
    [6, 1, 1, 7],
    [7, 1, 3, 2],
    [1, 1, 1, 1],
  ])(
    "%d outputs of %dx%dx%d: a plain walk gives the same, and the way back too",
    async (outputs, height, width, inputs) => {
      const rows = kernelRows(height, width, inputs);
      const torch = Float32Array.from({ length: outputs * rows.length }, (_, i) => i);
      const plain = new Float32Array(torch.length);
      let at = 0;
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let i = 0; i < inputs; i++)
            for (let o = 0; o < outputs; o++) plain[at++] = torch[((o * inputs + i) * height + y) * width + x]!;
      expect(isSame(await fromTorchOrder({ read: () => torch }, { outputs, rows }), plain)).toBe(true);
      const readPart = async (first: number, count: number, into: Uint8Array<ArrayBuffer>) => {
        await setImmediate();
        const part = new Float32Array(into.buffer, into.byteOffset, count);
        part.set(torch.subarray(first, first + count));
        return part;
      };
      const inTurn = () => fromTorchOrder({ read: () => torch, readPart }, { outputs, rows });
      for (const turned of await Promise.all([inTurn(), inTurn()])) expect(isSame(turned, plain)).toBe(true);
      expect(isSame(toTorchOrder(plain, { outputs, rows }), torch)).toBe(true);
    },
  );
});

it("weights are turned by the kernel that its source compiles to", async () => {
  expect(await assemble(fileURLToPath(new URL("../assembly", import.meta.url)), "transpose")).toBe(transposeWasm);
});

describe("layers match", () => {
  const network = (prefix: string, units: number): tfl.LayersModel =>
    tfl.sequential({
      layers: [
        tfl.layers.dense({ name: `${prefix}1`, units, inputShape: [3], kernelInitializer: "ones" }),
        tfl.layers.dense({ name: `${prefix}2`, units: 2, kernelInitializer: "ones" }),
      ],
    });

  it.each([
    ["by order where no name fits", "other", undefined],
    ["by order where that is asked for", "other", "order"],
    ["by name", "own", "name"],
  ] as const)("%s", async (_, prefix, by) => {
    const folder = mkdtempSync(join(tmpdir(), "convkit-names-"));
    await saveModel(network(prefix, 4), join(folder, "a.h5"));
    const model = network("own", 4);
    model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
    await loadWeights(model, join(folder, "a.h5"), by === undefined ? {} : { by });
    expect([...model.getWeights()[0]!.dataSync()]).toEqual(Array.from({ length: 12 }, () => 1));
    rmSync(folder, { recursive: true });
  });

  it("but not by order where names are asked for, nor where shapes differ", async () => {
    const folder = mkdtempSync(join(tmpdir(), "convkit-names-"));
    await saveModel(network("other", 4), join(folder, "a.h5"));
    await expect(loadWeights(network("own", 4), join(folder, "a.h5"), { by: "name" })).rejects.toThrow(
      /missing: layer "own1"/,
    );
    await expect(loadWeights(network("own", 5), join(folder, "a.h5"), { by: "order" })).rejects.toThrow(
      /misshaped: "own1\/kernel" is \[3,5\]/,
    );
    await expect(loadWeights(network("own", 5), join(folder, "a.h5"))).rejects.toThrow(
      /extra: the file has layer "other1"/,
    );
    rmSync(folder, { recursive: true });
  });

  it("may be left out by a pattern", async () => {
    const folder = mkdtempSync(join(tmpdir(), "convkit-names-"));
    await saveModel(network("own", 4), join(folder, "a.h5"));
    const model = tfl.sequential({ layers: [tfl.layers.dense({ name: "own1", units: 4, inputShape: [3] })] });
    expect(await loadWeights(model, join(folder, "a.h5"), { ignore: /^own2$/ })).toEqual({
      loaded: 2,
      ignored: ["own2"],
    });
    rmSync(folder, { recursive: true });
  });
});
