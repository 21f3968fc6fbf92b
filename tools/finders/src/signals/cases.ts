import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import * as tfl from "@tensorflow/tfjs-layers";
import { bitmap } from "../hostile/images.ts";

/** A command that works long enough to be struck. */
export interface SignalCase {
  readonly name: string;
  readonly args: readonly string[];
  /** True where no engine runs. */
  readonly isWithoutEngine?: boolean;
}

/** Writes images, a network and weights of a larger one into a folder; the commands that use them for some seconds. */
export async function signalCases(folder: string): Promise<readonly SignalCase[]> {
  const [images, small, out] = [join(folder, "images"), join(folder, "small"), join(folder, "out")];
  for (let image = 0; image < 1_500; image++) {
    const file = join(images, image % 2 === 0 ? "a" : "b", `${image}.bmp`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bitmap((image * 13) % 256, 64));
  }
  await useEngine("wasm", { threads: 1 });
  const { conv2d, maxPooling2d, globalAveragePooling2d, dense } = tfl.layers;
  const model = tfl.sequential({
    layers: [
      conv2d({ filters: 32, kernelSize: 3, padding: "same", activation: "relu", inputShape: [64, 64, 3] }),
      maxPooling2d({ poolSize: 2 }),
      conv2d({ filters: 64, kernelSize: 3, padding: "same", activation: "relu" }),
      conv2d({ filters: 64, kernelSize: 3, padding: "same", activation: "relu" }),
      globalAveragePooling2d({}),
      dense({ units: 2, activation: "softmax" }),
    ],
  });
  await saveModel(model, small, { format: "tfjs", metadata: { classes: ["a", "b"] } });
  const data = ["--data", images];
  const zoo = ["--classes", "2", "--input", "64x64x3", "--seed", "1"];
  const on = (name: string, ...args: readonly string[]): SignalCase => ({ name, args });
  const bare = (name: string, ...args: readonly string[]): SignalCase => ({ name, args, isWithoutEngine: true });
  return [
    on("train", "train", small, ...data, "--validation", "0.2", "--epochs", "20", "--out", `${out}-train`),
    on("search", "search", small, ...data, "--validation", "0.2", "--epochs", "3", "--out", `${out}-search`),
    on("evaluate", "evaluate", "resnet50", ...data, "--split", "train", ...zoo),
    on("predict", "predict", "resnet50", images, ...zoo),
    on("lr-find", "lr-find", small, ...data, "--steps", "1000"),
    on("check", "check", small, ...data, "--steps", "1000"),
    on("calibration", "calibration", small, ...data, "--split", "train"),
    on("robustness", "robustness", small, ...data, "--split", "train"),
    on("quantize", "quantize", small, `${out}.onnx`, ...data, "--split", "train"),
    on("profile", "profile", "resnet50", "--runs", "20"),
    on("inspect", "inspect", "resnet50", join(images, "a", "0.bmp"), "--seed", "1", "--out", `${out}.html`),
    on("serve", "serve", small, "--port", "0"),
    on("convert", "convert", "resnet152", `${out}.keras`, "--seed", "1"),
    on("summary", "summary", "resnet152"),
    on("draw", "draw", "resnet152", `${out}.png`),
    bare("data audit", "data", "audit", images),
    bare("data shard", "data", "shard", images, `${out}-shards`),
    bare("data subset", "data", "subset", images, `${out}-subset`, "--train", "0:600"),
    bare("data preview", "data", "preview", images, "--out", `${out}-sheet.png`, "--count", "900"),
  ];
}
