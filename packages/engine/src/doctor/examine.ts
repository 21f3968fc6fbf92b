import { access, constants } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";

import { cacheRoot } from "@convkit/files";

import { engineBytes } from "../install/cache.ts";
import { findCompiler } from "../install/compile-addon.ts";
import { bfloat16Unit, describeCpu, type Cpu } from "../machine/cpu.ts";
import { cudaDevices } from "../machine/devices.ts";
import { listEngines, type InstalledEngine } from "../install/installed.ts";
import { hasPrebuilt } from "../install/install.ts";
import { findPip } from "../install/pip.ts";
import { findOpenvino, type InstalledOpenvino } from "../openvino/installed.ts";
import { platformOf } from "../machine/platform.ts";
import { tensorflowLibrary } from "../tensorflow/library.ts";
import { threadsOf } from "../machine/threads.ts";
import { nodeEngineNames, type EngineName, type GpuAdapter } from "../engine.ts";
import { reasonAgainst, useEngine } from "../use-engine.ts";

/** The result of trying one engine. */
export interface EngineCheck {
  name: EngineName;
  ok: boolean;
  /** Why the engine does not run. */
  reason?: string;
  tensorflow?: string;
  threads?: number;
  /** What `webgpu` computes on. */
  adapter?: GpuAdapter;
}

/** A problem and its remedy: a command to type or a step to take. */
export interface Problem {
  problem: string;
  fix: string;
}

/** A number format in which this machine can train networks. */
export interface Precision {
  name: "float32" | "bfloat16";
  usable: boolean;
  note: string;
}

/** What `doctor` found; sizes in bytes. */
export interface DoctorReport {
  node: string;
  platform: string;
  engines: EngineCheck[];
  /** The engine that `auto` chooses. */
  best?: EngineName;
  cpu: Cpu;
  threads: number;
  precisions: Precision[];
  gpus: string[];
  memory: { total: number; free: number };
  cache: { folder: string; bytes: number; writable: boolean; engines: (InstalledEngine & { bytes: number })[] };
  /** The OpenVINO that predictions can use; missing if none is installed. */
  openvino?: InstalledOpenvino;
  libraries?: { cc: string; framework: string };
  pip?: string;
  compiler?: string;
  problems: Problem[];
}

/**
 * Examines this machine: each engine that seems usable is loaded and computes something (of the two TensorFlow engines
 * the better one, since a process holds one). For each unusable engine the report says why, and what to type.
 */
export async function doctor(): Promise<DoctorReport> {
  const folder = cacheRoot();
  const [pip, compiler, writable, bytes, installed, openvino] = await Promise.all([
    findPip(),
    findCompiler(),
    canWrite(folder),
    engineBytes(folder),
    listEngines(),
    findOpenvino(),
  ]);
  const engines = await checkEngines();
  const best = engines.find(({ name, ok }) => ok && name !== "webgpu")?.name;
  const cpu = describeCpu();
  const library = tensorflowLibrary();
  const report: DoctorReport = {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    engines,
    ...(best && { best }),
    cpu,
    threads: threadsOf(),
    precisions: precisionsOf(best, cpu),
    gpus: cudaDevices(),
    memory: memory(),
    cache: { folder, bytes, writable, engines: installed },
    ...(openvino && { openvino }),
    ...(library && { libraries: { cc: library.cc, framework: library.framework } }),
    ...(pip && { pip: `${pip.version} (${pip.command.join(" ")})` }),
    ...(compiler && { compiler: `${compiler.version} (${compiler.command})` }),
    problems: [],
  };
  return { ...report, problems: problemsOf(report) };
}

async function checkEngines(): Promise<EngineCheck[]> {
  const before = tf.engine().backendName;
  const checks: EngineCheck[] = [];
  for (const name of nodeEngineNames) {
    const reason = await reasonAgainst(name);
    const otherRuns = name === "native" && checks.some((check) => check.name === "gpu" && check.ok);
    if (reason === undefined && !otherRuns) checks.push(await tryEngine(name));
    else checks.push(reason === undefined ? { name, ok: true } : { name, ok: false, reason });
  }
  if (before && before !== tf.engine().backendName) await tf.setBackend(before);
  return checks;
}

async function tryEngine(name: EngineName): Promise<EngineCheck> {
  try {
    const { tensorflow, threads, adapter } = await useEngine(name, { onNotice: () => {} });
    const sum = tf.tidy(() => tf.sum(tf.matMul(tf.ones([8, 8]), tf.ones([8, 8]))));
    const [value] = await sum.data();
    sum.dispose();
    if (value !== 512) return { name, ok: false, reason: `it computes wrongly: 512 expected, ${value} found` };
    return { name, ok: true, threads, ...(tensorflow && { tensorflow }), ...(adapter && { adapter }) };
  } catch (error) {
    return { name, ok: false, reason: (error as Error).message.replace(/^The \w+ engine cannot be used: |\.$/g, "") };
  }
}

function precisionsOf(best: EngineName | undefined, cpu: Cpu): Precision[] {
  const unit = best === "gpu" ? "the GPU" : bfloat16Unit(cpu);
  const float32: Precision = { name: "float32", usable: best !== undefined, note: "" };
  if (best === undefined || best === "wasm")
    return [float32, { name: "bfloat16", usable: false, note: "needs the native or the gpu engine" }];
  return [
    float32,
    { name: "bfloat16", usable: true, note: unit ? `fast: ${unit}` : "slow: this CPU has no unit for it" },
  ];
}

function problemsOf({ engines, gpus, cache, compiler, node }: DoctorReport): Problem[] {
  const problems: Problem[] = [];
  const check = (name: EngineName) => engines.find((engine) => engine.name === name);
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    problems.push({ problem: `Node ${node} is too old`, fix: "install Node 20.19 or newer" });
  if (!cache.writable) {
    problems.push({
      problem: `the cache ${cache.folder} cannot be written`,
      fix: "set CONVKIT_CACHE to a folder that you may write to",
    });
  }
  if (gpus.length > 0 && !check("gpu")?.ok) {
    const isInstalled = cache.engines.some(({ engine }) => engine === "gpu");
    const fix = isInstalled
      ? 'update the NVIDIA driver ("nvidia-smi" shows it) to one for CUDA 12'
      : "convkit engine install --gpu";
    problems.push(engineProblem("gpu", check("gpu"), fix));
  }
  if (!check("native")?.ok) problems.push(engineProblem("native", check("native"), nativeFix(compiler)));
  if (!check("wasm")?.ok)
    problems.push(engineProblem("wasm", check("wasm"), "npm install @tensorflow/tfjs-backend-wasm"));
  return problems;
}

function engineProblem(name: EngineName, check: EngineCheck | undefined, fix: string): Problem {
  return { problem: `the ${name} engine does not run: ${check?.reason ?? "it was not examined"}`, fix };
}

function nativeFix(compiler: string | undefined): string {
  try {
    platformOf();
  } catch (error) {
    return (error as Error).message;
  }
  if (compiler !== undefined || hasPrebuilt()) return "convkit engine install";
  const how = process.platform === "darwin" ? "xcode-select --install" : "apt install g++";
  return `${how}, then convkit engine install`;
}

function memory(): { total: number; free: number } {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
  return { total, free: Math.min(total, os.freemem()) };
}

/** Whether this process can write to the folder; if it does not exist, to its nearest existing parent. */
async function canWrite(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    return true;
  } catch (error) {
    const parent = path.dirname(folder);
    return (error as NodeJS.ErrnoException).code === "ENOENT" && parent !== folder ? canWrite(parent) : false;
  }
}
