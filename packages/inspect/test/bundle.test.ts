import { createContext, runInContext } from "node:vm";
import { corrupt, drawWindow, embeddingMap, nearestImages, windowText } from "@convkit/inspect";
import { build } from "esbuild";
import { expect, it } from "vitest";

const code = `
  import "@tensorflow/tfjs-backend-cpu";
  import { chain, conv, dense, globalAvgPool, network } from "@convkit/core";
  import * as inspect from "@convkit/inspect";
  import * as tf from "@tensorflow/tfjs-core";
  export const { corrupt, drawWindow, embeddingMap, nearestImages, windowText } = inspect;
  export async function seen() {
    const model = network([8, 8, 3], chain({ a: conv(2, 3, { padding: "same" }), b: globalAvgPool(), c: dense(2) }), { seed: 1 });
    const svg = await inspect.draw(model);
    const { values } = await inspect.gradCam(model, tf.ones([8, 8, 3]), { class: 1 });
    const { theoretical } = await inspect.measuredReceptiveField(model, { samples: 1 });
    return [tf.getBackend(), svg.includes("Conv2D 3×3, 2, same"), values.length, theoretical];
  }
`;

it("all of the package bundles for the browser and runs there, without a module of Node", async () => {
  const { outputFiles, warnings } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    // A Node module in the bundle would be an error.
    platform: "browser",
    format: "iife",
    globalName: "bundle",
    logLevel: "silent",
  });
  expect(warnings).toEqual([]);
  const browser = createContext({
    performance,
    setTimeout,
    queueMicrotask,
    TextEncoder,
    TextDecoder,
    WebAssembly,
    atob,
    document: {},
    navigator: { userAgent: "test" },
    addEventListener: () => {},
  });
  runInContext("globalThis.self = globalThis; globalThis.window = globalThis;", browser);
  runInContext(outputFiles[0]!.text.replace("var bundle", "globalThis.bundle"), browser);

  const pixels = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 256);
  const window = { input: 5, kernel: 3, stride: 2, padding: "same" } as const;
  const rows = { shape: [6, 2] as const, values: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) };
  const one = { shape: [1, 2] as const, values: Float32Array.of(1, 0.5) };
  const there = (call: string): unknown => JSON.parse(runInContext(`JSON.stringify(${call})`, browser) as string);
  browser["given"] = { pixels, window, rows, one };
  const options = { kind: "snow", severity: 2 } as const;
  expect(there(`Array.from(bundle.corrupt(given.pixels, [10, 10, 3], ${JSON.stringify(options)}))`)).toEqual([
    ...corrupt(pixels, [10, 10, 3], options),
  ]);
  expect(there("bundle.drawWindow(given.window)")).toBe(drawWindow(window));
  expect(there("bundle.windowText(given.window)")).toBe(windowText(window));
  expect(there("bundle.nearestImages(given.rows, given.one)")).toEqual(nearestImages(rows, one));
  expect(there("Array.from(bundle.embeddingMap(given.rows).values)")).toEqual([...embeddingMap(rows).values]);
  const seen = (await runInContext("bundle.seen().then(JSON.stringify)", browser)) as string;
  expect(JSON.parse(seen)).toEqual(["cpu", true, 64, [3, 3]]);
});
