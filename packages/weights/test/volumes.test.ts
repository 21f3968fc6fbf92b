import { useEngine } from "@convkit/engine";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openWeights, saveModel } from "../src/index.ts";
import { ownClass } from "../src/layers/register.ts";

it("convolutions over volumes that tfjs lacks are Keras' own classes in its files", async () => {
  await useEngine("wasm");
  const folder = mkdtempSync(join(tmpdir(), "convkit-volumes-"));
  const x = tfl.input({ shape: [5, 5, 5, 2] });
  const dilated = { name: "dilated", filters: 2, kernelSize: 2, dilationRate: 2, groups: 2 };
  const sized = { name: "sized", filters: 3, kernelSize: 2, strides: 2, padding: "valid", outputPadding: 1 };
  const inner = new (ownClass("GroupedConv3D")!)(dilated as never).apply(x);
  const y = new (ownClass("SizedConv3DTranspose")!)(sized as never).apply(inner) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: x, outputs: y });
  for (const name of ["a.keras", "a.h5"]) {
    await saveModel(model, join(folder, name));
    const file = await openWeights(join(folder, name));
    const { layers } = (file.config as { config: { layers: { class_name: string }[] } }).config;
    expect(layers.map((layer) => layer.class_name)).toEqual(["InputLayer", "Conv3D", "Conv3DTranspose"]);
    file.close();
  }
  model.dispose();
  rmSync(folder, { recursive: true });
});
