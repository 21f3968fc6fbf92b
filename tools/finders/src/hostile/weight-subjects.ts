import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { availableEngines, useEngine } from "@convkit/engine";
import { loadSavedModel } from "@convkit/graph";
import { loadModel, openWeights, saveModel, writeWeights } from "@convkit/weights";
import * as tfl from "@tensorflow/tfjs-layers";
import type { Subject } from "./subject.ts";

const golden = fileURLToPath(new URL("../../../../packages/weights/test/golden/", import.meta.url));

/** A file that Keras, PyTorch, h5py or NumPy wrote: every tensor is read, and the model made if there is one. */
function written(name: string, ...files: readonly string[]): Subject {
  return {
    name,
    files,
    async prepare(folder) {
      await useEngine("wasm", { threads: 1 });
      mkdirSync(folder, { recursive: true });
      for (const file of files) cpSync(join(golden, file), join(folder, file), { recursive: true });
    },
    use: (folder, { file }) => readWeights(join(folder, file)),
  };
}

async function readWeights(path: string): Promise<void> {
  const file = await openWeights(path);
  try {
    for (const tensor of file.tensors) tensor.read();
    if (file.config === undefined) return;
  } finally {
    file.close();
  }
  (await loadModel(path)).dispose();
}

/** A small model with the parts that readers treat apart: convolution, norm, nested model, dense layer. */
export function smallModel(): tfl.LayersModel {
  const { conv2d, batchNormalization, globalAveragePooling2d, dense } = tfl.layers;
  const inner = tfl.sequential({
    name: "inner",
    layers: [conv2d({ filters: 3, kernelSize: 3, activation: "relu", inputShape: [8, 8, 3] }), batchNormalization()],
  });
  return tfl.sequential({
    layers: [inner, globalAveragePooling2d({}), dense({ units: 2, activation: "softmax" })],
  });
}

const metadata = { name: "small", classes: ["a", "b"], preprocessing: { scale: 1 / 255 } };

export const weightSubjects: readonly Subject[] = [
  written("h5", "keras3.h5", "keras2-weights.h5", "keras3.weights.h5", "latest.h5"),
  written("hdf5", "hdf5/v110.h5", "hdf5/v200.h5"),
  written("keras", "keras3.keras", "keras3-bzip2.keras", "keras3-lzma.keras"),
  written("pth", "state.pth", "state-legacy.pth", "whole.pth"),
  written("torchscript", "traced.pt"),
  written("pt2", "exported.pt2"),
  written("safetensors", "state.safetensors"),
  written("npy", "array.npy"),
  written("npz", "arrays.npz"),
  {
    name: "onnx",
    files: ["model.onnx"],
    async prepare(folder) {
      await useEngine("wasm", { threads: 1 });
      mkdirSync(folder, { recursive: true });
      const file = join(folder, "model.onnx");
      if (!existsSync(file)) await saveModel(smallModel(), file, { format: "onnx", metadata });
    },
    use: (folder, { file }) => readWeights(join(folder, file)),
    // ONNX names a node of its graph, or the file.
    names: /model/,
  },
  {
    name: "shards",
    async prepare(folder) {
      mkdirSync(folder, { recursive: true });
      const file = await openWeights(join(golden, "keras3.weights.h5"));
      const map: Record<string, string[]> = {};
      for (const [index, { path = "", tensors }] of file.layers!.entries()) {
        const name = `net_${index}.weights.h5`;
        await writeWeights(
          join(folder, name),
          tensors.map((tensor) => ({ ...tensor, name: tensor.path! })),
        );
        map[`/${path}/vars`] = [name];
      }
      file.close();
      writeFileSync(join(folder, "net.weights.json"), JSON.stringify({ metadata: {}, weight_map: map }));
    },
    use: (folder) => readWeights(join(folder, "net.weights.json")),
    names: /net[^/]*\.weights\./,
  },
  {
    name: "tfjs",
    async prepare(folder) {
      await useEngine("wasm", { threads: 1 });
      await saveModel(smallModel(), folder, { format: "tfjs", metadata });
    },
    use: (folder) => readWeights(join(folder, "model.json")),
    names: /damaged/,
  },
  {
    name: "saved-model",
    async prepare(folder) {
      if (!(await availableEngines()).includes("native")) throw new Error("the native engine is not installed");
      await useEngine("native", { threads: 1 });
      if (!existsSync(folder)) await saveModel(smallModel(), folder, { format: "savedmodel", metadata });
    },
    async use(folder) {
      const model = await loadSavedModel(folder, { threads: 1 });
      try {
        const [[name] = [""]] = Object.entries(model.signature.inputs);
        await model({ [name]: { data: new Float32Array(192), shape: [1, 8, 8, 3] } });
        for (const variable of model.variables) variable.read();
      } finally {
        await model.dispose();
      }
    },
    // A damaged shape is told as one that the input does not have.
    names: /damaged|takes the shape/,
  },
];
