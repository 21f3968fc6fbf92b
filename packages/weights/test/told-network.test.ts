import { useEngine } from "@convkit/engine";
import { peerPython, runPeer } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { twins } from "../src/formats/torch/twins.ts";
import { fitsModel } from "../src/load/load-model.ts";
import { checkTwins } from "../src/load/told-network.ts";
import { openWeights } from "../src/load/open-weights.ts";
import { loadWeights, saveModel } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-told-"));
beforeAll(() => useEngine("wasm").then(() => undefined));
afterAll(() => rmSync(folder, { recursive: true }));

/** A small model that has a name of the zoo: files are told apart by it. */
function tiny(name: string, value: number): tfl.LayersModel {
  const input = tfl.input({ shape: [2] });
  const layer = tfl.layers.dense({ units: 1, name: "fc", kernelInitializer: tfl.initializers.constant({ value }) });
  return tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor, name });
}

/** Writes a file of the weights 3 at a path in a new folder, with a config.json beside it. */
async function written(path: string, config?: unknown): Promise<string> {
  const at = mkdtempSync(join(folder, "case-"));
  const file = join(at, path);
  mkdirSync(join(file, ".."), { recursive: true });
  await saveModel(tiny("resnet50-tv", 3), file);
  if (config !== undefined) writeFileSync(join(file, "../config.json"), JSON.stringify(config));
  return file;
}

it.each([
  ["resnetblur50-84f4748f.pth.safetensors", undefined, "resnetblur50 by its name"],
  ["model.safetensors", { architecture: "resnetaa50" }, "resnetaa50 by the config.json beside it"],
  [
    "models--timm--resnetblur50.bt_in1k/snapshots/3f2a/model.safetensors",
    undefined,
    "resnetblur50 by the name of its folder",
  ],
])("%s with %j is refused for resnet50", async (path, config, told) => {
  const file = await written(path, config);
  const model = tiny("resnet50-tv", 1);
  await expect(loadWeights(model, file)).rejects.toThrow(
    `${file}: is of ${told}, nothing was changed: its weights have the names and shapes of resnet50-tv, but `,
  );
  expect(model.weights[0]!.read().dataSync()[0]).toBe(1);
});

it.each([
  ["resnet50_a1_0-14fe96d1.safetensors", undefined],
  ["model.safetensors", { architecture: "resnet50" }],
  ["model.safetensors", { architectures: ["ResNetForImageClassification"], model_type: "resnet" }],
  ["my-weights.safetensors", undefined],
  // The file's name says more than another file beside it.
  ["resnet50.safetensors", { architecture: "resnetblur50" }],
])("%s with %j loads into resnet50", async (path, config) => {
  const model = tiny("resnet50-tv", 1);
  await loadWeights(model, await written(path, config));
  expect(model.weights[0]!.read().dataSync()[0]).toBe(3);
});

it("metadata say it, too", async () => {
  const file = join(folder, "metadata.safetensors");
  const header = JSON.stringify({
    __metadata__: { architecture: "resnetblur50" },
    "fc.weight": { dtype: "F32", shape: [1, 2], data_offsets: [0, 8] },
    "fc.bias": { dtype: "F32", shape: [1], data_offsets: [8, 12] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(file, Buffer.concat([length, Buffer.from(header), Buffer.alloc(12)]));
  await expect(loadWeights(tiny("resnet50-tv", 1), file)).rejects.toThrow("is of resnetblur50 by its metadata");
});

it.skipIf(peerPython === undefined)("a checkpoint of timm says it in arch", async () => {
  const names = ["resnetblur50", "resnet50", "resnet"];
  runPeer(
    `import sys, torch
for name in sys.argv[2:]:
    state = {"fc.weight": torch.full((1, 2), 3.0), "fc.bias": torch.zeros(1)}
    torch.save({"epoch": 7, "arch": name, "state_dict": state, "version": 2}, f"{sys.argv[1]}/best-{len(name)}.pth.tar")`,
    [folder, ...names],
  );
  const load = async (name: string): Promise<number> => {
    const model = tiny("resnet50-tv", 1);
    await loadWeights(model, join(folder, `best-${name.length}.pth.tar`));
    return model.weights[0]!.read().dataSync()[0]!;
  };
  await expect(load("resnetblur50")).rejects.toThrow("is of resnetblur50 by its metadata (arch), nothing was changed");
  expect([await load("resnet50"), await load("resnet")]).toEqual([3, 3]);
});

// Epsilon and padding: B5 to B7 of torchvision have TensorFlow's epsilon, those of timm PyTorch's.
it.each([
  ["efficientnet-b5-tv", "efficientnet_b5", "has another epsilon"],
  ["efficientnet-b6-tv", "tf_efficientnet_b6", "pads other sides"],
  ["efficientnet-b7", "efficientnet_b7", "pads other sides"],
])("for %s, timm's %s is another network", (ours, theirs, difference) => {
  const file = { path: join(folder, `${theirs}.safetensors`), metadata: {} };
  expect(() => checkTwins(ours, file, "timm")).toThrow(difference);
  expect(checkTwins("efficientnet-b7", { ...file, path: "tf_efficientnet_b7.safetensors" }, "timm")).toBe(undefined);
});

it("every twin is a network of one side only", () => {
  for (const { ours, own, theirs } of twins) {
    expect(ours.length).toBeGreaterThan(0);
    expect(theirs.filter((name) => own.includes(name))).toEqual([]);
  }
});

it("a file fits a model by its header; no number is read, none is changed", async () => {
  const file = await openWeights(await written("plain.safetensors"));
  const model = tiny("resnet50-tv", 1);
  let reads = 0;
  const counted = {
    ...file,
    tensors: file.tensors.map((tensor) => ({ ...tensor, read: () => (reads++, tensor.read()) })),
  };
  expect(await fitsModel(model, counted, {})).toBe(true);
  const input = tfl.input({ shape: [3] });
  const other = tfl.model({
    inputs: input,
    outputs: tfl.layers.dense({ units: 1, name: "fc" }).apply(input) as tfl.SymbolicTensor,
  });
  expect(await fitsModel(other, counted, {})).toBe(false);
  expect([reads, model.weights[0]!.read().dataSync()[0]]).toEqual([0, 1]);
  file.close();
  tf.disposeVariables();
});
