import nodeCrypto, { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, compile } from "../src/index.ts";
import { tracePatches } from "../src/patches/index.ts";

const calls: [string, string, () => unknown][] = [
  ["Math.random", "Math.random", () => Math.random()],
  ["Date.now", "Date.now", () => Date.now()],
  ["new Date()", "new Date()", () => new Date()],
  ["performance.now", "performance.now", () => performance.now()],
  ["tf.util.now", "process.hrtime", () => tf.util.now()],
  ["process.hrtime", "process.hrtime", () => process.hrtime()],
  ["crypto.getRandomValues", "crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(2))],
  ["crypto.randomUUID", "crypto.randomUUID", () => crypto.randomUUID()],
  ["getRandomValues of node:crypto", "crypto.getRandomValues", () => nodeCrypto.getRandomValues(new Uint8Array(2))],
  ["randomBytes of node:crypto", "crypto.randomBytes", () => nodeCrypto.randomBytes(2)],
  ["randomInt of node:crypto, imported by name", "crypto.randomInt", () => randomInt(3)],
  ["tf.util.shuffle", "Math.random", () => tf.util.shuffle([1, 2, 3])],
  ["tf.rand", "Math.random", () => tf.rand([2], () => Math.random())],
];

describe.runIf(engines.includes("native"))("clocks and random generators of JavaScript in a compiled function", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.env().set("IS_TEST", false);
  });

  test.each(calls)("%s throws, naming the line, and works again afterwards", async (_, name, value) => {
    const f = compile((x: tf.Tensor) => {
      value();
      return x;
    });
    const message = new RegExp(
      `${name.replace("()", String.raw`\(\)`)} was called .* at .*nondeterminism\\.test\\.ts:\\d+`,
    );
    await expect(f(tf.scalar(1))).rejects.toThrow(message);
    expect(() => value()).not.toThrow();
    await f.dispose();
  });

  test("dates of given times, and tfjs' own draws, pass", async () => {
    const f = compile((x: tf.Tensor) => {
      const year = new Date(86_400_000 * 366).getUTCFullYear();
      const drawn = [
        tf.randomUniform([4]),
        tf.randomNormal([4]),
        tf.truncatedNormal([4]),
        tf.dropout(tf.ones([4]), 0.5),
      ];
      const classes = tf.multinomial(tf.tensor2d([[0.5, 0.5]]), 4);
      return [tf.add(x, year), ...drawn, tf.cast(classes, "float32")];
    });
    const [first, second] = [await f(tf.scalar(1)), await f(tf.scalar(1))];
    expect(first[0]?.item()).toBe(1972);
    for (const index of [1, 2, 3]) expect(first[index]?.data).not.toEqual(second[index]?.data);
    await f.dispose();
  });

  test("an accelerated model whose layer draws in JavaScript runs eagerly, and says so", async () => {
    class Jitter extends tfl.layers.Layer {
      static className = "Jitter";
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.add([inputs].flat()[0] as tf.Tensor, Math.random());
      }
    }
    const model = tfl.sequential({ layers: [new Jitter({ inputShape: [1] })] });
    const notices: string[] = [];
    const accelerated = accelerate(model, { onNotice: (line) => notices.push(line) });
    const predict = () => (model.predict(tf.zeros([1, 1])) as tf.Tensor).dataSync()[0];
    expect(predict()).not.toBe(predict());
    expect(notices).toEqual([expect.stringMatching(/Prediction .* runs eagerly: Math\.random/)]);
    await accelerated.dispose();
  });
});

describe("patches", () => {
  test("are all listed in docs/patches.md", () => {
    const page = readFileSync(new URL("../../../docs/patches.md", import.meta.url), "utf8");
    for (const { targets } of tracePatches) for (const target of targets) expect(page).toContain(target);
  });

  test.runIf(engines.includes("native"))("are undone after a trace, one that fails too", async () => {
    await useEngine("native");
    const engine = tf.engine() as unknown as Record<string, unknown>;
    const methods = ["runKernel", "makeVariable", "startScope", "endScope", "makeTensor", "shouldCheckForMemLeaks"];
    const look = (): unknown[] =>
      methods
        .map((name) => engine[name])
        .concat(
          [tf.Variable.prototype.assign, tfl.layers.Layer.prototype.apply, tfl.RNN.prototype.call],
          [tf.Optimizer.prototype.minimize, tf.AdamOptimizer.prototype.applyGradients, tf.train.adam],
          [
            tf.getKernel("Step", "tensorflow")?.kernelFunc,
            Math.random,
            Date,
            Date.now,
            performance.now,
            process.hrtime,
          ],
          [crypto.getRandomValues, nodeCrypto.randomBytes, randomInt],
        );
    const before = look();
    const f = compile((x: tf.Tensor, fails: boolean) => (fails ? tf.scalar(Math.random()) : tf.neg(x)));
    await f(tf.scalar(1), false);
    expect(look()).toEqual(before);
    await expect(f(tf.scalar(1), true)).rejects.toThrow(/Math\.random/);
    look().forEach((value, index) => expect(value).toBe(before[index]));
    await f.dispose();
  });
});
