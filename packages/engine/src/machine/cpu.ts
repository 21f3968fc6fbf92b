import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";

/** The properties of the processor that decide TensorFlow's speed. */
export interface Cpu {
  model: string;
  /** Cores that this process may use. */
  cores: number;
  features: string[];
}

/** Processor features that TensorFlow's kernels use, with their flags on Linux and sysctl names on macOS. */
const known: readonly [feature: string, flag: RegExp][] = [
  ["AVX2", /^avx2$/],
  ["FMA", /^fma$/],
  ["AVX-512", /^avx512f$/],
  ["AVX512_VNNI", /^avx512_vnni$/],
  ["AVX512_BF16", /^avx512_bf16$/],
  ["AMX_BF16", /^amx_bf16$/],
  ["AMX_INT8", /^amx_int8$/],
  ["NEON", /^asimd$|^neon$/],
  ["SVE", /^sve$/],
  ["BF16", /^bf16$|^feat_bf16$/],
];

/** This machine's processor. */
export function describeCpu(): Cpu {
  return {
    model: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    features: cpuFeatures(cpuFlags()),
  };
}

/** The features among a processor's flags, in the order of the table. */
export function cpuFeatures(flags: readonly string[]): string[] {
  return known.filter(([, flag]) => flags.some((name) => flag.test(name))).map(([feature]) => feature);
}

/** The processor feature that makes bfloat16 faster than float32; undefined without one. */
export function bfloat16Unit({ features }: Cpu): string | undefined {
  return ["AMX_BF16", "AVX512_BF16", "BF16"].find((name) => features.includes(name));
}

function cpuFlags(): string[] {
  try {
    if (process.platform === "linux") {
      const [, flags = ""] = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8")) ?? [];
      return flags.trim().split(/\s+/);
    }
    // "hw.optional.arm.FEAT_BF16: 1" becomes "feat_bf16".
    const lines = execFileSync("sysctl", ["hw.optional"], { encoding: "utf8" }).split("\n");
    return lines
      .filter((line) => line.endsWith(": 1"))
      .map((line) => line.split(":")[0]?.split(".").at(-1)?.toLowerCase() ?? "");
  } catch {
    return [];
  }
}
