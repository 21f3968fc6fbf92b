import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";

import { doctor, formatDoctor, useEngine, type DoctorReport } from "@convkit/engine";
import { cudaDevices } from "../src/machine/devices.ts";

const report: DoctorReport = {
  node: "24.21.0",
  platform: "linux x64",
  engines: [
    { name: "gpu", ok: false, reason: "no CUDA device is visible" },
    { name: "native", ok: true, tensorflow: "2.21.0", threads: 1 },
    { name: "wasm", ok: true, threads: 2 },
    {
      name: "webgpu",
      ok: true,
      threads: 1,
      adapter: { name: "nvidia ampere", isSoftware: false, largestTensor: 2_147_483_644 },
    },
  ],
  best: "native",
  cpu: { model: "A Processor", cores: 2, features: ["AVX2", "AMX_BF16"] },
  threads: 2,
  precisions: [
    { name: "float32", usable: true, note: "" },
    { name: "bfloat16", usable: true, note: "fast: AMX_BF16" },
  ],
  gpus: [],
  memory: { total: 23_400_000_000, free: 9_100_000_000 },
  cache: {
    folder: "/home/a/.cache/convkit",
    bytes: 853_562_740,
    writable: true,
    engines: [
      {
        engine: "native",
        tensorflow: "2.21.0",
        platform: "linux-x64",
        folder: "",
        wheels: [],
        libraryFolders: [],
        bytes: 853_562_740,
      },
    ],
  },
  libraries: { cc: "/home/a/.cache/convkit/lib/libtensorflow_cc.so.2", framework: "" },
  pip: "23.2.1 (python3 -m pip)",
  problems: [{ problem: "the gpu engine does not run", fix: "convkit engine install --gpu" }],
};

describe("the doctor", () => {
  test.skipIf(cudaDevices().length > 0)("loads what is there and finds nothing to mend", async () => {
    const found = await doctor();
    expect(found.best).toBe("native");
    // Whether webgpu runs depends on drivers.
    expect(found.engines.slice(0, 3).map(({ name, ok }) => [name, ok])).toEqual([
      ["gpu", false],
      ["native", true],
      ["wasm", true],
    ]);
    expect(found.engines[1]).toMatchObject({ tensorflow: "2.21.0" });
    expect(found.engines[3]?.name).toBe("webgpu");
    expect(found.libraries?.cc).toMatch(/libtensorflow_cc/);
    expect(found.precisions.map(({ name, usable }) => [name, usable])).toEqual([
      ["float32", true],
      ["bfloat16", true],
    ]);
    expect(found.memory.free).toBeLessThanOrEqual(found.memory.total);
    expect(found.node).toBe(process.versions.node);
    expect(found.problems).toEqual([]);
  });

  test("leaves the backend in use as it was", async () => {
    await useEngine("wasm");
    await doctor();
    expect(tf.getBackend()).toBe("wasm");
  });

  test("reports for people", () => {
    expect(formatDoctor(report)).toMatchInlineSnapshot(`
      "Engines
        ✗ gpu      no CUDA device is visible
        ✓ native   TensorFlow 2.21.0, 1 thread, chosen by auto
        ✓ wasm     2 threads
        ✓ webgpu   nvidia ampere, tensors up to 2.1 GB

      Machine
        system     linux x64, Node 24.21.0
        CPU        A Processor, 2 cores
        features   AVX2, AMX_BF16
        precisions float32, bfloat16 (fast: AMX_BF16)
        threads    2 (--threads changes it)
        GPU        none
        memory     23 GB, 9.1 GB free

      Installed
        cache      /home/a/.cache/convkit (854 MB)
        native     TensorFlow 2.21.0 (854 MB)
        openvino   not installed (convkit engine install --predict)
        library    /home/a/.cache/convkit/lib/libtensorflow_cc.so.2
        pip        23.2.1 (python3 -m pip)
        compiler   not found

      To mend
        - the gpu engine does not run
          → convkit engine install --gpu"
    `);
  });
});
