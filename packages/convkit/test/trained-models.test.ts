import { features } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel as freshModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createModel } from "../src/create-model.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-trained-"));
const input = [64, 96, 3] as const;
beforeAll(() => useEngine().then(() => undefined));
afterEach(() => tf.disposeVariables());
afterAll(() => rmSync(folder, { recursive: true }));

async function saved(name: ModelName, ending: string, classes: number): Promise<string> {
  const file = join(folder, `${name}${ending}`);
  const model = freshModel(name, { classes, seed: 5 });
  await saveModel(model, file);
  model.dispose();
  return file;
}

describe("a file of a network with its top", () => {
  it.each([
    ["resnet18", ".safetensors", "layer4.b1.relu"],
    ["squeezenet1-1", ".safetensors", "features.b12"],
    ["mobilenet", ".keras", "conv_pw_13_relu"],
    ["mobilenet", ".weights.h5", "conv_pw_13_relu"],
  ] as const)("gives the weights of %s%s without the top", async (name, ending, last) => {
    const file = await saved(name, ending, 7);
    const trunk = await createModel(name, { weights: file, includeTop: false, input });
    const whole = freshModel(name, { classes: 7, seed: 5, input });
    const x = tf.randomUniform([1, ...input], -1, 1, "float32", 3);
    const [found, expected] = [trunk.predict(x) as tf.Tensor, features(whole, [last]).predict(x) as tf.Tensor];
    expect(found.shape).toEqual(expected.shape);
    const most = tf.max(tf.abs(expected)).dataSync()[0]!;
    expect(most).toBeGreaterThan(0);
    expect(tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]! / most).toBeLessThan(1e-5);
  });

  it("is refused if it has more than the top", async () => {
    const file = await saved("resnet34", ".safetensors", 7);
    await expect(createModel("resnet18", { weights: file, includeTop: false })).rejects.toThrow(
      /extra: the file has "layer1\.2\.conv1\.weight".*\n.*\n {2}…\nThe file fits resnet34\.$/,
    );
  });
});

describe("a file of another network", () => {
  it.each([
    ["squeezenet1-1", "squeezenet1-0", ".safetensors", /misshaped: "features\.0\.weight" should be \[96,3,7,7\]/],
    ["mobilenet-v2-tv", "mobilenet-v2", ".safetensors", /none of the model's 262 names is in the file/],
    ["efficientnet-b0-tv", "efficientnet-b0", ".safetensors", /names is in the file/],
    ["mobilenet-timm", "mobilenet", ".safetensors", /names is in the file/],
    ["lenet5", "simple-cnn", ".h5", /extra: the file has layer "conv2" \(\[5,5,6,16\], \[16\]\), the model has not/],
  ] as const)(
    "%s is told from %s%s: the first difference, and the network that it fits",
    async (theirs, ours, ending, first) => {
      const file = await saved(theirs, ending, 11);
      const error = await createModel(ours, { weights: file, classes: 11 }).catch((thrown: unknown) => thrown);
      const { message } = error as Error;
      expect(message).toMatch(first);
      expect(message).toContain("nothing was changed");
      expect(message.split("\n").length).toBeLessThan(6);
      expect(message).toMatch(new RegExp(`\nThe file fits ${theirs}\\.$`));
    },
  );
});
