import { createRequire } from "node:module";

import * as tf from "@tensorflow/tfjs-core";

import type { GpuAdapter } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import { guardWebGpu } from "./guard.ts";

/** What is used of WebGPU. */
interface Gpu {
  requestAdapter(options: { readonly powerPreference: "high-performance" }): Promise<{
    readonly info: {
      readonly vendor: string;
      readonly architecture: string;
      readonly device: string;
      readonly description: string;
      readonly isFallbackAdapter?: boolean;
    };
    readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
  } | null>;
}

/** The packages that the engine needs; a project that wants it installs them. */
const packages = ["webgpu", "@tensorflow/tfjs-backend-webgpu"];

let gpu: Gpu | undefined;

/** Why the engine cannot be used, judged by the files of its packages alone; undefined if they are there. */
export function reasonAgainstWebGpu(): string | undefined {
  const missing = packages.filter((name) => !isInstalled(name) && !(name === "webgpu" && ownGpu() !== undefined));
  if (missing.length === 0) return undefined;
  return `it needs the packages ${packages.join(" and ")}: npm install ${missing.join(" ")}`;
}

/** The adapter of this machine, or the reason why there is none. */
export async function findAdapter(): Promise<GpuAdapter | { readonly reason: string }> {
  let found: Gpu;
  try {
    found = await gpuOfNode();
  } catch (error) {
    return { reason: `the package webgpu does not load on this machine: ${(error as Error).message.split("\n")[0]}` };
  }
  const adapter = await found.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null)
    return {
      reason:
        "WebGPU finds no GPU: on Linux it needs Vulkan: the loader libvulkan.so.1, and a driver such as that of Mesa or NVIDIA",
    };
  const { info, limits } = adapter;
  const words = [info.vendor, info.architecture, info.device, info.description].filter((word) => word !== "");
  const name = [...new Set(words)].join(" ") || "a GPU that gives no name";
  const isSoftware = info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);
  const largestTensor = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return { name, isSoftware, largestTensor };
}

/** Starts tfjs' WebGPU backend and makes it the present one. */
export async function loadWebGpu(): Promise<void> {
  const found = await gpuOfNode();
  await withNavigator(found, async () => {
    await import("@tensorflow/tfjs-backend-webgpu");
    if (tf.findBackendFactory("webgpu") === null)
      throw new EngineError(
        "The webgpu engine cannot be used: @tensorflow/tfjs-backend-webgpu registers with another copy of @tensorflow/tfjs-core than this program's; install the same version of both.",
      );
    if (!(await tf.setBackend("webgpu")))
      throw new EngineError("The webgpu engine did not start: tfjs could not make its backend.");
  });
  guardWebGpu();
}

/** WebGPU as the program has made it already, for instance with settings of its own. */
function ownGpu(): Gpu | undefined {
  return (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
}

async function gpuOfNode(): Promise<Gpu> {
  gpu ??= ownGpu();
  if (gpu !== undefined) return gpu;
  const { create, globals } = (await import("webgpu")) as unknown as {
    create(options: string[]): Gpu;
    globals: object;
  };
  // Constants such as GPUBufferUsage, which tfjs takes from there.
  for (const [name, value] of Object.entries(globals))
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return (gpu = create([]));
}

/** Runs what looks for `navigator.gpu`, which is gone afterwards: other packages would take this process for a web page. */
async function withNavigator(found: Gpu, work: () => Promise<void>): Promise<void> {
  if (ownGpu() !== undefined) return work();
  const scope = globalThis as { navigator?: object };
  const target = scope.navigator ?? {};
  const isOurs = scope.navigator === undefined;
  if (isOurs) Object.defineProperty(globalThis, "navigator", { value: target, configurable: true });
  Object.defineProperty(target, "gpu", { value: found, configurable: true });
  try {
    await work();
  } finally {
    Reflect.deleteProperty(target, "gpu");
    if (isOurs) Reflect.deleteProperty(globalThis, "navigator");
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
