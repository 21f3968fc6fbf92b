import * as core from "@convkit/core";
import { useEngine } from "@convkit/engine";
import * as inspect from "@convkit/inspect";
import { createModel } from "@convkit/models";
import { modelFiles } from "@convkit/weights";
import { expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { logitsOf } from "../src/logits.ts";
import { runInPage } from "../src/run-in-page.ts";
import { type Seen, seen } from "../src/seen.ts";

const worst = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((value, index) => Math.abs(value - b[index]!))) : Infinity;

it.skipIf(withoutBrowser !== "")(
  `"convkit" builds, loads and looks into networks in a page as in Node${withoutBrowser}`,
  async () => {
    await useEngine("wasm", { threads: 1 });
    const expected = await seen({ ...core, ...inspect });
    const trained = createModel("lenet5", { seed: 1 });
    const logits = await logitsOf(trained);
    const [file] = await modelFiles(trained, "lenet5.keras");
    const got = await runInPage<Record<"webgl" | "wasm", { seen: Seen; logits: number[] }> & { messages: string[] }>(
      `import "@tensorflow/tfjs-backend-webgl";
      import * as convkit from "convkit";
      import { logitsOf } from "./logits.ts";
      import { seen } from "./seen.ts";
      const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
      export async function run() {
        const results = {};
        for (const name of ["webgl", "wasm"]) {
          await convkit.useEngine(name, name === "wasm" ? { wasmPath: "/wasm" } : {});
          const model = await convkit.createModel("lenet5", { weights: "lenet5.keras" });
          results[name] = { seen: await seen(convkit), logits: await logitsOf(model) };
        }
        const messages = [
          await message(() => convkit.createModel("lenet5", { weights: "none.keras" })),
          await message(() => convkit.createModel("resnet50", { weights: "imagenet" })),
          await message(() => convkit.writeReport("report.html", {})),
          await message(() => convkit.doctor()),
        ];
        return { ...results, messages };
      }`,
      { files: { "/lenet5.keras": new Uint8Array(await file!.arrayBuffer()) } },
    );
    for (const [engine, bound] of [["wasm", 1e-6] as const, ["webgl", 1e-5] as const]) {
      const { gradCam, saliency, measured, ...same } = got[engine].seen;
      expect(same, engine).toEqual({
        summary: expected.summary,
        drawing: expected.drawing,
        window: expected.window,
        fields: expected.fields,
      });
      expect(worst(gradCam, expected.gradCam), engine).toBeLessThan(bound);
      expect(worst(saliency, expected.saliency), engine).toBeLessThan(bound);
      expect(worst(measured, expected.measured), engine).toBeLessThan(bound);
      expect(worst(got[engine].logits, logits), engine).toBeLessThan(bound);
    }
    expect(got.messages).toEqual([
      expect.stringMatching(/^WeightsError: .*none\.keras.*404/u),
      expect.stringMatching(/^WeightsError: fetchImagenetWeights: works with files of the disk, which a web page/u),
      "FileError: report.html cannot be read or written: a web page has no file system; leave the path out.",
      expect.stringMatching(/^EngineError: doctor is about TensorFlow's library in Node/u),
    ]);
  },
);
