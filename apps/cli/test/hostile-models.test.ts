import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../src/inputs/run-directory.ts";
import { colorFolder } from "./color-folder.ts";
import { spawned } from "./run-cli.ts";

interface TfjsModel {
  modelTopology: { config: { layers: { inboundNodes?: unknown[][][]; inbound_nodes?: unknown[][][] }[] } };
  weightsManifest: { paths: string[] }[];
}

/** Models whose model.json was tampered with: each is refused in one sentence that names the file. */
describe("a tfjs model that was tampered with", () => {
  const root = mkdtempSync(join(tmpdir(), "convkit-hostile-"));
  const whole = join(root, "whole");
  const secret = "NOT OF THIS MODEL ";
  beforeAll(async () => {
    const { status, err } = await spawned(["convert", "lenet5", `${whole}/`, "--to", "tfjs"]);
    expect(status, err).toBe(0);
    await colorFolder(join(root, "images"), ["red"], 1);
    writeFileSync(join(root, "secret"), secret.repeat(61_706 * 4).slice(0, 61_706 * 4));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** A copy of the model, as a run directory has it, with another model.json. */
  function tampered(name: string, change: (json: TfjsModel) => void): string {
    const folder = join(root, name);
    cpSync(whole, join(folder, "model"), { recursive: true });
    const file = join(folder, "model", "model.json");
    const json = JSON.parse(readFileSync(file, "utf8")) as TfjsModel;
    change(json);
    writeFileSync(file, JSON.stringify(json));
    return folder;
  }

  test("names weights outside of its folder: nothing of them is read", async () => {
    const run = tampered("outside", ({ weightsManifest }) => (weightsManifest[0]!.paths = ["../../secret"]));
    const out = join(root, "stolen.h5");
    for (const model of [run, join(run, "model"), join(run, "model", "model.json")]) {
      const { status, err } = await spawned(["convert", model, out]);
      expect([status, err]).toEqual([1, expect.stringMatching(/model\.json.*the path "\.\.\/\.\.\/secret" leaves/)]);
    }
    expect(existsSync(out)).toBe(false);
  });

  test.each([["predict"], ["evaluate"]])("names a layer that is not there: %s ends", async (command) => {
    const run = tampered(`unknown-${command}`, ({ modelTopology }) => {
      const layer = modelTopology.config.layers.find((each) => (each.inboundNodes ?? each.inbound_nodes)?.length)!;
      (layer.inboundNodes ?? layer.inbound_nodes)![0]![0]![0] = "no_such_layer";
    });
    const images = join(root, "images");
    const { status, err } = await spawned([command, run, ...(command === "predict" ? [images] : ["--data", images])]);
    expect([status, err]).toEqual([1, expect.stringMatching(/model\.json.*no_such_layer/)]);
  });
});

test.each([
  [{ classes: 1e9 }, /modelOptions\.classes must be a whole number from 1 to 1000000/],
  [{ input: [1e6, 1e6, 3] }, /modelOptions\.input must be height, width and channels up to 16384/],
])(
  "a run's configuration with a network of %j is refused before the network is made",
  async (modelOptions, message) => {
    const file = join(mkdtempSync(join(tmpdir(), "convkit-config-")), "config.json");
    const plan = { model: "lenet5", modelOptions, data: "mnist", optimizer: { name: "sgd" }, batch: 2, epochs: 1 };
    writeFileSync(file, JSON.stringify({ name: "large", seed: 1, plan }));
    await expect(readConfig(file)).rejects.toThrow(message);
  },
);
