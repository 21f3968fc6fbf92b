import { arch, cpus, platform, totalmem } from "node:os";
import type { Engine } from "@convkit/engine";
import { version_core } from "@tensorflow/tfjs-core";
import { version } from "../terminal/version.ts";

/** The versions and the machine of a run in so many processes, for `config.json` and the report. */
export function environment(engine: Engine, workers = 1) {
  return {
    convkit: version(),
    node: process.versions.node,
    tfjs: version_core,
    engine: engine.name,
    ...(engine.tensorflow !== undefined && { tensorflow: engine.tensorflow }),
    threads: engine.threads,
    ...(workers > 1 && { workers }),
    platform: `${platform()} ${arch()}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: totalmem(),
  };
}

export type Environment = ReturnType<typeof environment>;
