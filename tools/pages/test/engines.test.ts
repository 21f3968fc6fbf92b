import { describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { runInPage } from "../src/run-in-page.ts";

const start = (name: string, options = "") => `
  import "@tensorflow/tfjs-backend-webgl";
  import "@tensorflow/tfjs-backend-webgpu";
  import "@tensorflow/tfjs-layers";
  import * as tf from "@tensorflow/tfjs-core";
  import { useEngine } from "@convkit/engine";
  export async function run() {
    const notices = [];
    const engine = await useEngine(${JSON.stringify(name)}, { wasmPath: "/wasm", onNotice: (line) => notices.push(line), ${options} });
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    const filter = tf.tensor4d([1, 0, -1, 2], [2, 2, 1, 1]);
    const product = tf.conv2d(x, filter, 1, "valid");
    const gradient = tf.grad((w) => tf.sum(tf.conv2d(x, w, 1, "valid")))(filter);
    return { engine, notices, product: [...await product.data()], gradient: [...await gradient.data()] };
  }`;

// By hand: the product at (0, 0) is 1*1 + 2*0 - 4*1 + 5*2 = 7; the gradient of a weight is the sum of what it is multiplied with.
const product = [7, 9, 13, 15];
const gradient = [12, 16, 24, 28];

interface Started {
  readonly engine: {
    readonly name: string;
    readonly backend: string;
    readonly threads: number;
    readonly isGpu: boolean;
  };
  readonly notices: string[];
  readonly product: number[];
  readonly gradient: number[];
}

describe.skipIf(withoutBrowser !== "")(`useEngine in a page${withoutBrowser}`, () => {
  it.each(["webgpu", "webgl", "wasm"])("computes a convolution and its gradient on %s", async (name) => {
    const got = await runInPage<Started>(start(name));
    expect(got.engine).toEqual({ name, backend: name, threads: 1, isGpu: name !== "wasm" });
    expect(got.product).toEqual(product);
    expect(got.gradient).toEqual(gradient);
  });

  it("computes with the threads that were asked for where the page may share memory", async () => {
    const got = await runInPage<Started>(start("wasm", "threads: 2"), { isIsolated: true });
    expect(got.engine.threads).toBe(2);
    expect(got.product).toEqual(product);
    expect(got.gradient).toEqual(gradient);
  });

  it("takes the best engine there is, and says why not a better one", async () => {
    const got = await runInPage<Started>(
      start("auto")
        .replace(/.*webgpu";\n/u, "")
        .replace(/.*webgl";\n/u, ""),
    );
    expect(got.engine.name).toBe("wasm");
    expect(got.notices).toEqual([
      expect.stringMatching(
        /^Using the wasm engine\. The webgpu engine cannot be used: its backend is not in this page; install @tensorflow\/tfjs-backend-webgpu and import/u,
      ),
    ]);
  });

  it("starts once for two calls at once, and goes back and forth between engines", async () => {
    const got = await runInPage<unknown>(`
      import "@tensorflow/tfjs-layers";
      import "@tensorflow/tfjs-backend-webgl";
      import * as tf from "@tensorflow/tfjs-core";
      import { availableEngines, useEngine } from "@convkit/engine";
      export async function run() {
        const [one, other] = await Promise.all([useEngine("wasm", { wasmPath: "/wasm" }), useEngine("wasm", { wasmPath: "/wasm" })]);
        await useEngine("webgl");
        const between = tf.getBackend();
        const back = await useEngine("wasm");
        const sum = tf.sum(tf.tensor1d([1, 2, 3])).dataSync()[0];
        return { isOne: one === other && back === one, between, after: tf.getBackend(), sum, available: await availableEngines() };
      }`);
    expect(got).toEqual({ isOne: true, between: "webgl", after: "wasm", sum: 6, available: ["webgl", "wasm"] });
  });

  it("refuses in a sentence what no page has", async () => {
    const messages = await runInPage<string[]>(`
      import { useEngine, doctor } from "@convkit/engine";
      const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
      export const run = () => Promise.all([
        message(() => useEngine("native")),
        message(() => useEngine("cuda")),
        message(() => useEngine("wasm", { threads: 0 })),
        message(() => useEngine("wasm", { install: true })),
        message(() => useEngine("wasm", { wasmPath: "/nowhere" })),
        message(() => doctor()),
      ]);`);
    expect(messages).toEqual([
      "EngineError: The native engine needs Node: in a web page take auto, webgpu, webgl, wasm.",
      'EngineError: There is no engine "cuda": the engines of a web page are auto, webgpu, webgl, wasm.',
      "EngineError: An engine takes 1 thread or more, not 0.",
      "EngineError: useEngine takes install in Node only: leave it out in a web page.",
      expect.stringMatching(
        /^EngineError: The wasm engine cannot fetch \/nowhere\/tfjs-backend-wasm-simd\.wasm \(status 404\): serve/u,
      ),
      expect.stringMatching(/^EngineError: doctor is about TensorFlow's library in Node/u),
    ]);
  });
});
