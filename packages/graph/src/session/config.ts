import { availableParallelism } from "node:os";
import type { Message } from "../native/protos.ts";

/** What a session is made with; functions with equal configurations share one session, and so their variables. */
export interface SessionConfig {
  /** Threads within an op and between ops; TensorFlow's default is one a core. */
  threads?: number;
  /**
   * The bits that eager tfjs computes on as many threads, equal from run to run: no rewriting by TensorFlow's optimizers,
   * no fused updates, deterministic ops (those for the whole process from then on). Slower.
   */
  deterministic?: boolean;
  /** The graph never grows, so that TensorFlow keeps fewer copies of it. */
  isStatic?: boolean;
  /** For CPUs and graphs without loops: only those of TensorFlow's optimizers that gain something there, once each. */
  isPlain?: boolean;
}

/** Values of RewriterConfig's switches. */
const off = 2;
const noMemoryOptimization = 1;
const once = 1;

/** TensorFlow's ConfigProto. */
export function configProto({
  threads = availableParallelism(),
  deterministic = false,
  isStatic = false,
  isPlain = false,
}: SessionConfig): Message {
  return {
    intra_op_parallelism_threads: threads,
    inter_op_parallelism_threads: threads,
    allow_soft_placement: true,
    gpu_options: { allow_growth: true },
    ...(isStatic && { experimental: { optimize_for_static_graph: true } }),
    ...(isPlain && {
      graph_options: {
        rewrite_options: {
          meta_optimizer_iterations: once,
          layout_optimizer: off,
          loop_optimization: off,
          memory_optimization: noMemoryOptimization,
        },
      },
    }),
    ...(deterministic && {
      graph_options: { optimizer_options: { opt_level: -1 }, rewrite_options: { disable_meta_optimizer: true } },
    }),
  };
}

/** The key under which equal configurations meet. */
export function configKey({ threads, deterministic }: SessionConfig): string {
  return `${threads ?? "default"} ${deterministic === true}`;
}
