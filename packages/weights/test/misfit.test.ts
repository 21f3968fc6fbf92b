import { useEngine } from "@convkit/engine";
import * as tfl from "@tensorflow/tfjs-layers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { loadWeights } from "../src/index.ts";

it("a state of another network is refused in one sentence with the first names of both", async () => {
  await useEngine("wasm");
  const { conv2d, globalAveragePooling2d, dense } = tfl.layers;
  const stem = conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 3], name: "stem" });
  const model = tfl.sequential({ layers: [stem, globalAveragePooling2d({}), dense({ units: 2, name: "top" })] });
  const path = fileURLToPath(new URL("golden/state.pth", import.meta.url));
  const error = await loadWeights(model, path).catch((thrown: unknown) => thrown);
  expect((error as Error).message).toBe(
    `${path}: holds the weights of another network, nothing was changed: none of the model's 4 names is in the file; the model's first is "stem.weight" [2,3,3,3], the file's is "conv.weight" [3,2,3,3]`,
  );
  model.dispose();
});
