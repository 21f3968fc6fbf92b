import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { loadModel, modelFiles, type SaveOptions } from "@convkit/weights";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { withoutVulkan } from "../../testing/src/vulkan-driver.ts";
import { withoutBrowser } from "../src/browser.ts";
import { logitsOf } from "../src/logits.ts";
import { runInPage } from "../src/run-in-page.ts";
import { smallNetwork } from "../src/small-network.ts";
import { type Trained, trainSmall, twoClasses } from "../src/small-training.ts";

const worst = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((value, index) => Math.abs(value - b[index]!))) : Infinity;

/** Puts the files that a model is written to under a path. */
async function put(files: Record<string, Uint8Array>, model: tfl.LayersModel, path: string, options: SaveOptions = {}) {
  const made = await modelFiles(model, path, options);
  for (const file of made)
    files[made.length === 1 ? `/${path}` : `/${path}/${file.name}`] = new Uint8Array(await file.arrayBuffer());
}

/** What the page gave on one engine. */
interface Continued {
  readonly before: Readonly<Record<string, number[]>>;
  readonly trained: Trained;
  readonly after: number[];
  /** The model after training, in base64. */
  readonly file: string;
}

const bounds = { wasm: 1e-4, webgl: 1e-4, webgpu: 1e-3 } as const;

describe.skipIf(withoutBrowser !== "")(`a model that Node trained, in a page${withoutBrowser}`, () => {
  const files: Record<string, Uint8Array> = {};
  const formats = ["net.keras", "net.h5", "net.onnx"];
  let before: number[];
  let inNode: { readonly trained: Trained; readonly after: number[] };

  beforeAll(async () => {
    await useEngine("wasm", { threads: 1 });
    const model = twoClasses();
    await trainSmall(model, 2);
    before = await logitsOf(model);
    for (const name of formats) await put(files, model, name);
    inNode = { trained: await trainSmall(model, 2), after: await logitsOf(model) };
  });

  // The logits after the file was written show, too, that a device of WebGPU outlives the writing.
  describe.each(Object.entries(bounds))("on %s", (engine, bound) => {
    let got: Continued;
    beforeAll(async () => {
      got = await runInPage(
        `import "@tensorflow/tfjs-backend-webgl";
        import "@tensorflow/tfjs-backend-webgpu";
        import { useEngine } from "@convkit/engine";
        import { loadModel, modelFiles } from "@convkit/weights";
        import { logitsOf } from "./logits.ts";
        import { trainSmall } from "./small-training.ts";
        export async function run() {
          await useEngine("${engine}", { wasmPath: "/wasm" });
          const before = {};
          let model;
          for (const name of ${JSON.stringify(formats.toReversed())}) {
            model = await loadModel(name);
            before[name] = await logitsOf(model);
          }
          const trained = await trainSmall(model, 2);
          const [file] = await modelFiles(model, "net.keras");
          const bytes = Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte));
          return { before, trained, after: await logitsOf(model), file: btoa(bytes.join("")) };
        }`,
        { files },
      );
    });

    it(`gives the numbers of Node, within ${bound}, from each format`, () => {
      expect(Object.keys(got.before).toSorted()).toEqual(formats.toSorted());
      for (const [name, logits] of Object.entries(got.before)) expect(worst(logits, before), name).toBeLessThan(bound);
    });

    it("trains on as in Node, and Node loads the result", async () => {
      expect(worst(got.trained.losses, inNode.trained.losses)).toBeLessThan(engine === "wasm" ? 1e-5 : 1e-3);
      expect(Math.abs(got.trained.loss - inNode.trained.loss)).toBeLessThan(engine === "wasm" ? 1e-5 : 1e-3);
      expect(got.trained.accuracy).toBe(inNode.trained.accuracy);
      expect(got.trained.losses.at(-1)).toBeLessThan(got.trained.losses[0]!);
      const model = await loadModel(new File([Buffer.from(got.file, "base64")], "net.keras"));
      const again = await logitsOf(model);
      expect(worst(again, got.after)).toBeLessThan(bound);
      expect(worst(again, inNode.after)).toBeLessThan(engine === "wasm" ? 1e-4 : 5e-3);
    });
  });
});

describe.skipIf(withoutVulkan !== "")(`a model that wasm trained, in Node on webgpu${withoutVulkan}`, () => {
  it("gives the same numbers, and trains on as there", async () => {
    await useEngine("wasm", { threads: 1 });
    const model = twoClasses();
    await trainSmall(model, 2);
    const before = await logitsOf(model);
    const file = await modelFiles(model, "net.keras");
    const expected = { trained: await trainSmall(model, 2), after: await logitsOf(model) };
    await useEngine("webgpu", { onNotice: () => {} });
    const again = await loadModel(file);
    expect(worst(await logitsOf(again), before)).toBeLessThan(1e-3);
    const trained = await trainSmall(again, 2);
    expect(worst(trained.losses, expected.trained.losses)).toBeLessThan(1e-3);
    expect(trained.accuracy).toBe(expected.trained.accuracy);
    // What is written was read from the GPU.
    const written = await modelFiles(again, "net.keras");
    await useEngine("wasm");
    expect(worst(await logitsOf(await loadModel(written)), expected.after)).toBeLessThan(5e-3);
  });
});

// The page of the second test knows nothing of ours.
describe.skipIf(withoutBrowser !== "")(`stock tfjs in a page${withoutBrowser}`, () => {
  const zoo = [
    ["lenet5", [28, 28, 1]],
    ["resnet50-small", [32, 32, 3]],
    ["mobilenet-v2", [32, 32, 3]],
  ] as const;
  // The largest difference of a rounded logit here, relative to the largest logit; 256 steps round by 1/510 of the range of a weight.
  const quantized = { uint8: 3e-2, uint16: 2e-4, float16: 2e-3 } as const;

  it("loads the layers models and the graph models that we write, quantized too", async () => {
    await useEngine("wasm", { threads: 1 });
    const files: Record<string, Uint8Array> = {};
    const expected = new Map<string, readonly [logits: number[], bound: number]>();
    const add = async (model: tfl.LayersModel, name: string, bound: number, options: SaveOptions = {}) => {
      for (const format of ["tfjs", "tfjs-graph"] as const) {
        await put(files, model, `${format}-${name}`, { format, ...options });
        expected.set(`${format}-${name}`, [await logitsOf(model), bound]);
      }
    };
    for (const [name, input] of zoo) {
      const model = createModel(name, { input, seed: 1 } as never);
      await add(model, name, 1e-5);
      model.dispose();
    }
    const small = smallNetwork();
    const largest = Math.max(...(await logitsOf(small)).map(Math.abs));
    for (const [quantize, bound] of Object.entries(quantized))
      await add(small, quantize, bound * largest, { quantize: quantize as keyof typeof quantized });
    const got = await runInPage<Record<string, number[]>>(
      `import "@tensorflow/tfjs-backend-webgl";
      import * as tf from "@tensorflow/tfjs-core";
      import { loadGraphModel } from "@tensorflow/tfjs-converter";
      import { loadLayersModel } from "@tensorflow/tfjs-layers";
      import { logitsOf } from "./logits.ts";
      export async function run() {
        await tf.setBackend("webgl");
        const results = {};
        for (const name of ${JSON.stringify([...expected.keys()])}) {
          const load = name.startsWith("tfjs-graph") ? loadGraphModel : loadLayersModel;
          results[name] = await logitsOf(await load(name + "/model.json"));
        }
        return results;
      }`,
      { files },
    );
    expect(Object.keys(got)).toEqual([...expected.keys()]);
    for (const [name, [logits, bound]] of expected) {
      expect(worst(got[name]!, logits), name).toBeLessThan(bound);
      // Rounding must show, or nothing was rounded.
      if (name in quantized) expect(worst(got[name]!, logits), name).toBeGreaterThan(0);
    }
  });
});
