import { readFileSync } from "node:fs";

import "@tensorflow/tfjs-layers";
import { EngineError, OutOfMemoryError, useEngine } from "@convkit/engine";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it, vi } from "vitest";

import { loadWasm, nodePlatform } from "../src/wasm/index.ts";
import { startProgram } from "./program.ts";

async function stepWith(
  threads: number | undefined,
): Promise<{ threads: number; sums: number[][]; listeners: number }> {
  const { ended } = startProgram("wasm-step", { env: threads === undefined ? {} : { THREADS: String(threads) } });
  const { code, output, errors } = await ended;
  expect(code, errors).toBe(0);
  return JSON.parse(output) as Awaited<ReturnType<typeof stepWith>>;
}

describe("threads of the wasm engine", () => {
  it("give the same gradients as one thread, and the process ends by itself", async () => {
    const [one, two, four] = [await stepWith(1), await stepWith(2), await stepWith(4)];
    expect([one.threads, two.threads, four.threads]).toEqual([1, 2, 4]);
    expect(two.sums).toEqual(one.sums);
    expect(four.sums).toEqual(one.sums);
  });

  it("are as many as help, if nobody asks, and leave the process's error handlers alone", async () => {
    const { threads, listeners } = await stepWith(undefined);
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(listeners).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN])("are refused if they are %s", async (threads) => {
    await expect(loadWasm(nodePlatform, { threads })).rejects.toThrow(
      `computes with 1 thread or more, not ${threads}.`,
    );
  });
});

it("refuses threads where they cannot share memory, in a sentence that says what to do", async () => {
  vi.stubGlobal("SharedArrayBuffer", undefined);
  try {
    await expect(loadWasm(nodePlatform, { threads: 2 })).rejects.toThrow(
      /^The wasm engine cannot run 2 threads: this Node \(v.*\) has no SharedArrayBuffer; ask for 1 thread\.$/u,
    );
  } finally {
    vi.unstubAllGlobals();
  }
});

describe("wasm engine", () => {
  beforeAll(() => useEngine("wasm"));

  it("is refused without SIMD in a sentence that says what to do", async () => {
    const before = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
    tf.env().set("WASM_HAS_SIMD_SUPPORT", false);
    try {
      await expect(loadWasm(nodePlatform)).rejects.toThrow(
        /^The wasm engine needs WebAssembly SIMD, .* update Node, or run/u,
      );
    } finally {
      tf.env().set("WASM_HAS_SIMD_SUPPORT", before);
    }
  });

  it("keeps what is not a number in steps and ReLUs, and passes over it in maximum pools, as tfjs does", () => {
    const values = [Number.NaN, -1, 2, 1, -3, Number.NaN, 4, 3, 0];
    const [step, relu, pool] = tf.tidy(() => {
      const x = tf.tensor4d(values, [1, 3, 3, 1]);
      return [tf.step(x, 0.5), tf.relu(x), tf.maxPool(x, 2, 1, "valid")].map((tensor) => [...tensor.dataSync()]);
    }) as unknown as number[][];
    expect(step).toEqual([Number.NaN, 0.5, 1, 1, 0.5, Number.NaN, 1, 1, 0.5]);
    expect(relu).toEqual([Number.NaN, 0, 2, 1, 0, Number.NaN, 4, 3, 0]);
    expect(pool).toEqual([1, 2, 4, 3]);
  });

  it("names a kernel that it lacks, and the way out", () => {
    const sum = (): tf.Tensor => tf.complex([1], [2]);
    expect(sum).toThrow(EngineError);
    expect(sum).toThrow(/^The wasm engine has no kernel for Complex: use the native engine .*, or ops that it has\.$/u);
  });

  it("refuses what its heap cannot hold, and goes on", () => {
    const before = tf.memory().numTensors;
    const backend = tf.backend() as BackendWasm;
    expect(() =>
      tf.tidy(() => {
        // A gigabyte each; what is never written takes no memory of the machine.
        for (let i = 0; i < 5; i++) {
          const gigabyte = backend.makeOutput([2 ** 28], "float32");
          tf.engine().makeTensorFromDataId(gigabyte.dataId, gigabyte.shape, "float32", backend);
        }
      }),
    ).toThrow(OutOfMemoryError);
    expect(tf.memory().numTensors).toBe(before);
    expect(tf.tidy(() => tf.add([1, 2], [3, 4]).dataSync())).toEqual(new Float32Array([4, 6]));
  });
});

it("keeps Node's modules to the loader, so that the kernels run in a browser", () => {
  const seen = new Set<string>();
  const walk = (file: URL): void => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const source = readFileSync(file, "utf8");
    expect(source, file.pathname).not.toMatch(/from "node:|import\("node:|\bprocess\./u);
    for (const [, path] of source.matchAll(/from "(\.[^"]+)"/gu)) walk(new URL(path!, file));
  };
  walk(new URL("../src/wasm/browser.ts", import.meta.url));
  expect(seen.size).toBeGreaterThan(10);
});

it("takes gradients in a program that imports tfjs-core alone", async () => {
  const { code, output, errors } = await startProgram("gradient", { env: { ENGINE: "wasm" } }).ended;
  expect(code, errors).toBe(0);
  expect(JSON.parse(output)).toEqual([2, 4, 6]);
});
