import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";

import { bfloat16Unit, cpuFeatures, describeCpu } from "../src/machine/cpu.ts";
import { cudaDevices } from "../src/machine/devices.ts";
import { setTensorflowEnvironment, threadsOf } from "../src/machine/threads.ts";
import { startProgram } from "./program.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

const processors: [string, string[], string | undefined][] = [
  ["fpu sse4_2", [], undefined],
  ["avx avx2 fma", ["AVX2", "FMA"], undefined],
  ["avx2 fma avx512f avx512_vnni avx512_bf16", ["AVX2", "FMA", "AVX-512", "AVX512_VNNI", "AVX512_BF16"], "AVX512_BF16"],
  ["avx512f avx512_bf16 amx_bf16 amx_tile amx_int8", ["AVX-512", "AVX512_BF16", "AMX_BF16", "AMX_INT8"], "AMX_BF16"],
  ["fp asimd bf16 sve", ["NEON", "SVE", "BF16"], "BF16"],
  ["neon feat_bf16", ["NEON", "BF16"], "BF16"],
];

describe("the processor", () => {
  test.each(processors)("with the flags %s", (flags, features, unit) => {
    expect(cpuFeatures(flags.split(" "))).toEqual(features);
    expect(bfloat16Unit({ model: "", cores: 1, features })).toBe(unit);
  });

  test("of this machine has a name and cores", () => {
    const { model, cores } = describeCpu();
    expect(model).not.toBe("");
    expect(cores).toBeGreaterThan(0);
  });
});

describe("CUDA devices", () => {
  test.skipIf(process.platform !== "linux")("are the driver's device files, or what it lists under /proc", async () => {
    const root = `${await temporaryFolder()}/`;
    expect(cudaDevices(root)).toEqual([]);
    await mkdir(path.join(root, "proc/driver/nvidia/gpus/0000:00:1e.0"), { recursive: true });
    expect(cudaDevices(root)).toEqual(["0000:00:1e.0"]);
    await mkdir(path.join(root, "dev"));
    for (const name of ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "null"])
      await writeFile(path.join(root, "dev", name), "");
    expect(cudaDevices(root)).toEqual(["/dev/nvidia0", "/dev/nvidia1"]);
  });
});

describe("threads", () => {
  test.skipIf(process.platform !== "linux").each([1, 3])("%d asked for, so many TensorFlow runs", async (threads) => {
    const { output, errors } = await startProgram("threads", { env: { THREADS: String(threads) } }).ended;
    expect(errors).toBe("");
    expect(JSON.parse(output)).toEqual({ threads, running: threads });
  });

  test.skipIf(process.platform !== "linux").each([
    ["1", [{ threads: 1, running: 1 }]],
    [
      "2,1",
      [
        { threads: 2, running: 2 },
        { error: expect.stringMatching(/^TensorFlow runs in this process with 2 threads already, .* cannot take 1/) },
      ],
    ],
  ] as const)("%s asked for in worker threads", async (threads, expected) => {
    const { output } = await startProgram("worker-threads", { env: { THREADS: threads } }).ended;
    const lines = output.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
  });

  test("come from TensorFlow's variable, else from the cores", () => {
    expect(threadsOf({ TF_NUM_INTRAOP_THREADS: "3" })).toBe(3);
    expect(threadsOf({ TF_NUM_INTRAOP_THREADS: "zero" })).toBe(threadsOf({}));
    expect(threadsOf({})).toBeGreaterThan(0);
  });

  test("are set for TensorFlow before it is loaded; a user's own settings stay", async () => {
    const names = [
      "TF_NUM_INTRAOP_THREADS",
      "TF_NUM_INTEROP_THREADS",
      "OMP_NUM_THREADS",
      "TF_CPP_MIN_LOG_LEVEL",
      "TF_FORCE_GPU_ALLOW_GROWTH",
    ];
    const seen = () => names.map((name) => process.env[name]);
    await withEnv(Object.fromEntries(names.map((name) => [name, undefined])), async () => {
      setTensorflowEnvironment();
      expect(seen()).toEqual([undefined, undefined, undefined, "2", "true"]);
      setTensorflowEnvironment(4);
      expect(seen()).toEqual(["4", "4", "4", "2", "true"]);
      process.env["TF_CPP_MIN_LOG_LEVEL"] = "0";
      setTensorflowEnvironment();
      expect(seen()[3]).toBe("0");
    });
  });
});

describe("a program that uses an engine", () => {
  test.each(["wasm", "native"])("keeps its own signals: %s listens to nothing", async (engine) => {
    const { output, errors } = await startProgram("signals", { env: { ENGINE: engine } }).ended;
    expect(errors).toBe("");
    const { before, imported, used } = JSON.parse(output) as Record<string, string>;
    expect([imported, used]).toEqual([before, before]);
  });
});
