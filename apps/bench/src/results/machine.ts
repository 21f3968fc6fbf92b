import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/** The machine that was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** The vector and matrix instructions of the CPU. */
  readonly features: readonly string[];
  readonly memoryGiB: number;
  readonly os: string;
  readonly gpu?: Gpu;
}

export interface Gpu {
  readonly name: string;
  readonly driver: string;
  /** Highest clock of the multiprocessors. */
  readonly clockMHz: number;
}

const telling =
  /^(avx2|avx512f|avx512_vnni|avx512_bf16|avx512_fp16|avx_vnni|amx_bf16|amx_int8|amx_fp16|fma|asimd|asimddp|bf16|i8mm|sve|sve2)$/;

export function machine(): Machine {
  const gpu = findGpu();
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    features: cpuFlags().filter((flag) => telling.test(flag)),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()} ${process.arch}`,
    ...(gpu && { gpu }),
  };
}

function cpuFlags(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"));
    return line?.[1]?.trim().split(/\s+/) ?? [];
  } catch {
    return [];
  }
}

/** The first CUDA device, as its driver describes it; undefined without one. */
export function findGpu(): Gpu | undefined {
  try {
    const query = ["--query-gpu=name,driver_version,clocks.max.sm", "--format=csv,noheader,nounits"];
    const text = execFileSync("nvidia-smi", query, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [name, driver, clock] = text.split("\n")[0]!.split(", ");
    return name && driver ? { name, driver, clockMHz: Number(clock) } : undefined;
  } catch {
    return undefined;
  }
}

/** The measured commit, with `-dirty` if files differ from it; undefined outside a checkout. */
export function commit(folder: string): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!*/results/*");
    return git("rev-parse", "--short=10", "HEAD") + (changed === "" ? "" : "-dirty");
  } catch {
    return undefined;
  }
}
