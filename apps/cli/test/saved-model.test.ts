import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { saveModel } from "@convkit/weights";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-saved-"));
const data = join(folder, "data");
/** A network that pixels are scaled for, and one of a single output. */
const networks = [
  ["lenet5", ["--classes", "3"]],
  ["residual-stack", ["--input", "16x16x3", "--classes", "1"]],
] as const;

interface Evaluated {
  loss: number;
  accuracy: number;
  confusion: number[][];
  perClass: { label: string }[];
}

describe.skipIf(engines[0] === "wasm")("a SavedModel folder", () => {
  beforeAll(() => colorFolder(data, ["blue", "green", "red"], 3));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(networks)("of %s evaluates and predicts as the network itself", async (name, options) => {
    const images = name === "residual-stack" ? await colorFolder(join(folder, "two"), ["blue", "red"], 3) : data;
    const saved = join(folder, name);
    const seeded = [...options, "--seed", "3"];
    const written = await call("convert", name, `${saved}/`, "--to", "savedmodel", ...seeded);
    expect(written.status, written.err).toBe(0);
    const evaluated = async (model: string, ...more: string[]): Promise<Evaluated> => {
      const { status, out, err } = await call("evaluate", model, "--data", images, "--tta", "--json", ...more);
      expect(status, err).toBe(0);
      return JSON.parse(out) as Evaluated;
    };
    const [theirs, own] = [await evaluated(saved), await evaluated(name, ...seeded)];
    expect(theirs.confusion).toEqual(own.confusion);
    expect(theirs.perClass.map(({ label }) => label)).toEqual(own.perClass.map(({ label }) => label));
    expect([theirs.accuracy, theirs.loss]).toEqual([own.accuracy, expect.closeTo(own.loss, 4)]);
    const image = join(images, "red", "1.jpg");
    const predicted = async (model: string, ...more: string[]): Promise<number[]> => {
      const { status, out, err } = await call("predict", model, image, "--json", ...more);
      expect(status, err).toBe(0);
      const [answer] = JSON.parse(out) as { predictions: { probability: number }[] }[];
      return answer!.predictions.map(({ probability }) => probability);
    };
    const wanted = await predicted(name, ...seeded);
    expect(await predicted(saved)).toEqual(wanted.map((probability) => expect.closeTo(probability, 4)));
  });

  test("with other classes than the data is refused in one sentence", async () => {
    const saved = join(folder, "four");
    await call("convert", "simple-cnn", `${saved}/`, "--to", "savedmodel", "--classes", "4");
    const { status, err } = await call("evaluate", saved, "--data", data);
    expect([status, err]).toEqual([1, expect.stringMatching(/has 3 classes but .*four has 4 outputs\.\n$/)]);
  });

  test("that gives logits is refused in one sentence", async () => {
    await useEngine();
    const { flatten, dense } = tfl.layers;
    const logits = tfl.sequential({ layers: [flatten({ inputShape: [16, 16, 3] }), dense({ units: 3 })] });
    await saveModel(logits, join(folder, "logits"), { format: "savedmodel" });
    const { status, err } = await call("evaluate", join(folder, "logits"), "--data", data);
    expect([status, err]).toEqual([1, expect.stringMatching(/does not give probabilities, .*softmax or sigmoid\.\n$/)]);
  });
});
