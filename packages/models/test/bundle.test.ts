import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const tfjs = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-layers"];

async function bundle(code: string, external: string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    external,
    // A Node module in the bundle would be an error.
    platform: "browser",
    format: "iife",
    globalName: "bundle",
    legalComments: "none",
    minifySyntax: true,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

describe("a bundle", () => {
  it("of one network carries no other", async () => {
    const text = await bundle('export { lenet5 } from "@convkit/models";', tfjs);
    expect(text).toContain("lenet5");
    for (const other of ["resnet", "vgg", "inception", "mobilenet", "densenet"]) expect(text).not.toContain(other);
    const all = await bundle('export { zoo } from "@convkit/models";', tfjs);
    expect(text.length).toBeLessThan(all.length / 2);
  });

  it("for the browser trains batch norm, dropout and grouped convolution without Node", async () => {
    const text = await bundle(
      `
      import "@tensorflow/tfjs-backend-cpu";
      import { batchNorm, build, chain, classActivation, conv, dense, dropout, flatten } from "@convkit/core";
      import { lenet5 } from "@convkit/models";
      import * as tf from "@tensorflow/tfjs-core";
      export function run() {
        const body = chain({ conv: conv(4, 3, { padding: 1, stride: 2, groups: 2 }), bn: batchNorm(), drop: dropout(0.2) });
        const head = (options) => chain({ flatten: flatten(), fc: dense(options.classes, { activation: classActivation(options) }) });
        const model = build({ ...lenet5, body, head }, { input: [12, 12, 2] });
        const x = tf.ones([2, 12, 12, 2]);
        const { grads } = tf.variableGrads(() => tf.mean(tf.square(model.apply(x, { training: true }))));
        return [tf.getBackend(), Object.keys(grads).length, model.outputs[0].shape[1]];
      }
      `,
      [],
    );
    const browser = createContext({
      performance,
      setTimeout,
      queueMicrotask,
      TextEncoder,
      TextDecoder,
      document: {},
      navigator: { userAgent: "test" },
      addEventListener: () => {},
    });
    runInContext("globalThis.self = globalThis; globalThis.window = globalThis;", browser);
    const result = runInContext(`${text}; JSON.stringify(bundle.run())`, browser) as string;
    expect(JSON.parse(result)).toEqual(["cpu", 6, 10]);
  });
});
