import { describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { runInPage } from "../src/run-in-page.ts";

// `three-places.test.ts` trains in a page.
describe.skipIf(withoutBrowser !== "")(`train in a page${withoutBrowser}`, () => {
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
