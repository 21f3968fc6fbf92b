import { useEngine } from "@convkit/engine";
import { classify } from "@convkit/predict";
import { modelFiles } from "@convkit/weights";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { namedNetwork, type Predicted, predicted } from "../src/predictions.ts";
import { runInPage } from "../src/run-in-page.ts";

const bounds = { wasm: 1e-5, webgl: 1e-4, webgpu: 1e-3 } as const;

describe.skipIf(withoutBrowser !== "")(`predict in a page${withoutBrowser}`, () => {
  const files: Record<string, Uint8Array> = {};
  let expected: Predicted;

  beforeAll(async () => {
    await useEngine("wasm", { threads: 1 });
    const model = namedNetwork();
    expected = await predicted(model);
    for (const name of ["net.keras", "net.onnx"]) {
      const [file] = await modelFiles(model, name);
      files[`/${name}`] = new Uint8Array(await file!.arrayBuffer());
    }
  });

  it("gives the numbers of Node on every engine, from each source", async () => {
    const got = await runInPage<Record<keyof typeof bounds, Record<string, Predicted>>>(
      `import "@tensorflow/tfjs-backend-webgl";
      import "@tensorflow/tfjs-backend-webgpu";
      import { useEngine } from "@convkit/engine";
      import { namedNetwork, predicted } from "./predictions.ts";
      export async function run() {
        const bytes = new Uint8Array(await (await fetch("/net.onnx")).arrayBuffer());
        const results = {};
        for (const engine of ${JSON.stringify(Object.keys(bounds))}) {
          await useEngine(engine, engine === "wasm" ? { wasmPath: "/wasm" } : {});
          results[engine] = {
            model: await predicted(namedNetwork()),
            named: await predicted(namedNetwork(), { runtime: engine }),
            address: await predicted("net.keras"),
            bytes: await predicted(bytes, { runtime: "auto" }),
            file: await predicted(new File([await (await fetch("/net.keras")).blob()], "net.keras")),
            weights: await predicted("net.keras", { network: namedNetwork() }),
          };
        }
        return results;
      }`,
      { files },
    );
    expect(Object.keys(got)).toEqual(Object.keys(bounds));
    for (const [engine, bound] of Object.entries(bounds)) check(got[engine as keyof typeof bounds], engine, bound);
  });

  function check(found: Record<string, Predicted>, engine: string, bound: number): void {
    for (const [given, { runtime, classes, ...values }] of Object.entries(found)) {
      const source = `${given} on ${engine}`;
      expect(runtime, source).toBe(engine);
      for (const name of ["scores", "features", "layer"] as const) {
        expect(values[name].length, `${source}, ${name}`).toBe(expected[name].length);
        const largest = Math.max(...expected[name].map(Math.abs));
        const worst = Math.max(...values[name].map((value, at) => Math.abs(value - expected[name][at]!)));
        expect(worst / largest, `${source}, ${name}`).toBeLessThan(bound);
      }
      const labels = (of: Predicted["classes"]) => of.map((image) => image.map(({ label }) => label));
      expect(labels(classes), source).toEqual(labels(expected.classes));
      for (const [image, ranked] of classes.entries())
        for (const [place, { probability }] of ranked.entries())
          expect(Math.abs(probability - expected.classes[image]![place]!.probability), source).toBeLessThan(bound);
    }
  }

  it("classifies image files, refuses in a sentence what no page has, and goes on", async () => {
    const colors = Uint8Array.from({ length: 20 * 30 * 3 }, (_, at) => (at * 7) % 256);
    const photo = await sharp(colors, { raw: { width: 30, height: 20, channels: 3 } })
      .png()
      .toBuffer();
    const inNode = await classify(namedNetwork(), [photo, photo]);
    const { messages, classes } = await runInPage<{ messages: string[]; classes: Predicted["classes"] }>(
      `import { useEngine } from "@convkit/engine";
      import { classify, predictor, quantize } from "@convkit/predict";
      import { namedNetwork } from "./predictions.ts";
      const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
      export async function run() {
        await useEngine("wasm", { wasmPath: "/wasm" });
        const model = namedNetwork();
        const images = { data: new Uint8Array(192), shape: [1, 8, 8, 3] };
        const by = (options, source = model) => message(() => predictor(source, options).predict(images));
        const classes = await classify(model, ["photo.png", await (await fetch("photo.png")).blob()]);
        const messages = [
          await by({ runtime: "openvino" }),
          await by({ runtime: "tensorflow" }),
          await by({ runtime: "webgpu" }),
          await by({ threads: 2 }),
          await by({ precision: "bfloat16" }),
          await by({ execution: { eager: false } }),
          await by({}, "nowhere.keras"),
          await by({}, new Uint8Array([1, 2, 3])),
          await message(() => quantize(model, [images])),
          await message(() => classify(model, "nowhere.png")),
          await by({}),
        ];
        return { messages, classes };
      }`,
      { files: { ...files, "/photo.png": photo } },
    );
    expect(classes.map((image) => image.map(({ label }) => label))).toEqual(
      inNode.map((image) => image.map(({ label }) => label)),
    );
    for (const [image, ranked] of classes.entries())
      for (const [place, { probability }] of ranked.entries())
        expect(Math.abs(probability - inNode[image]![place]!.probability)).toBeLessThan(1e-5);
    const node = (name: string) =>
      `PredictError: The runtime ${name} is a library of Node, which no web page can load: leave the runtime out, or take auto, webgpu, webgl or wasm.`;
    expect(messages).toEqual([
      node("openvino"),
      node("tensorflow"),
      'PredictError: The runtime webgpu was asked for, but this process computes with the engine wasm: call useEngine("webgpu") first.',
      expect.stringMatching(/^PredictError: .*with the engine's threads, not with 2: give useEngine the threads\.$/u),
      expect.stringMatching(/^PredictError: .*computes in float32, not in bfloat16\.$/u),
      expect.stringMatching(/^GraphError: /u),
      expect.stringMatching(/^WeightsError: .*nowhere\.keras.*404/u),
      expect.stringMatching(/^WeightsError: \(bytes\)/u),
      "PredictError: quantize needs OpenVINO or ONNX Runtime, which no web page can load: quantize in Node.",
      expect.stringMatching(/^OptionError: classify: expected an image at .*nowhere\.png, got the answer 404\.$/u),
      "no error",
    ]);
  });
});
