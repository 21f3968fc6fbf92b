import { useEngine } from "@convkit/engine";
import { beforeAll, describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { runInPage } from "../src/run-in-page.ts";
import { type Trained, trainSmall } from "../src/small-training.ts";

const program = (engine: string): string => `
  import "@tensorflow/tfjs-backend-webgl";
  import "@tensorflow/tfjs-backend-webgpu";
  import { useEngine } from "@convkit/engine";
  import { trainSmall } from "./small-training.ts";
  export async function run() {
    await useEngine("${engine}", { wasmPath: "/wasm" });
    return trainSmall();
  }`;

describe.skipIf(withoutBrowser !== "")(`train in a page${withoutBrowser}`, () => {
  let inNode: Trained;

  beforeAll(async () => {
    await useEngine("wasm", { threads: 1 });
    inNode = await trainSmall();
    expect(inNode.losses.at(-1)).toBeLessThan(0.9 * inNode.losses[0]!);
  });

  it.each([
    ["wasm", 1e-5],
    ["webgl", 1e-3],
    ["webgpu", 1e-3],
  ])("gives on %s the losses and the accuracy that Node gives, within %f", async (engine, bound) => {
    const got = await runInPage<Trained>(program(engine));
    expect(got.losses.length).toBe(4);
    for (const [epoch, loss] of got.losses.entries())
      expect(Math.abs(loss - inNode.losses[epoch]!)).toBeLessThan(bound);
    expect(Math.abs(got.loss - inNode.loss)).toBeLessThan(bound);
    expect(got.accuracy).toBe(inNode.accuracy);
  });

  it("refuses in a sentence what needs files", async () => {
    const messages = await runInPage<string[]>(`
      import { readHistory, tensorBoard, train } from "@convkit/trainer";
      import { fromArrays, imageFolder, loadData } from "@convkit/datasets";
      import { dense, chain, flatten, network } from "@convkit/core";
      import { useEngine } from "@convkit/engine";
      const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
      export async function run() {
        await useEngine("wasm", { wasmPath: "/wasm" });
        const data = fromArrays({ images: new Uint8Array(4), shape: [1, 1, 1], labels: [0, 1, 0, 1], classes: ["a", "b"] });
        const model = network([1, 1, 1], chain([flatten(), dense(2, { activation: "softmax" })]));
        return [
          await message(() => train({ model, data, epochs: 1, out: "runs/first" })),
          await message(() => train({ model, data, epochs: 1, callbacks: [tensorBoard({ folder: "logs" })] })),
          await message(() => readHistory("runs/first/history.csv")),
          await message(() => imageFolder("photos")),
          await message(() => loadData("mnist")),
        ];
      }`);
    for (const message of messages) expect(message).toMatch(/^[A-Z]\w+Error: .*web page/u);
  });
});
