import { threadsOf } from "@convkit/engine/internal";
import { elementsOf } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import type { Message } from "../native/protos.ts";

/** Settings of a session. Functions with equal settings share one session, and so their variables. */
export interface SessionConfig {
  /**
   * Computes the same bits as eager tfjs with as many threads, at every run: TensorFlow's optimizers and fused updates are off,
   * and ops are deterministic (from then on, in the whole process). Slower.
   */
  deterministic?: boolean;
  /** True if the graph never grows, so that TensorFlow keeps fewer copies of it. */
  isStatic?: boolean;
  /**
   * For CPUs and graphs without loops: runs TensorFlow's optimizers once, without the ones that are of no use there.
   */
  isPlain?: boolean;
  /** Runs graphs as they are, without TensorFlow's optimizers. */
  isUnoptimized?: boolean;
  /** Runs in this process alone, even where it is one of several workers. */
  isLocal?: boolean;
}

/** Values of RewriterConfig's switches. */
const off = 2;
const noMemoryOptimization = 1;
const once = 1;

/**
 * TensorFlow's ConfigProto. `isServed` is for a session on the server of a worker, which checks every node again: TensorFlow's
 * remapper would make nodes that it refuses, a `_FusedConv2D` of bfloat16 on CPUs that compute in it. Steps of LeNet-5 and ResNet-50
 * take as long without the remapper.
 */
export function configProto(
  { deterministic = false, isStatic = false, isPlain = false, isUnoptimized = false }: SessionConfig,
  { isServed = false } = {},
): Message {
  // The pools of threads are the process's: with another number, the first session would decide for all others.
  const threads = threadsOf();
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
          ...(isServed && { remapping: off }),
        },
      },
    }),
    ...(isUnoptimized && { graph_options: { rewrite_options: { disable_meta_optimizer: true } } }),
    ...(deterministic && {
      graph_options: { optimizer_options: { opt_level: -1 }, rewrite_options: { disable_meta_optimizer: true } },
    }),
  };
}

/** Graphs from this size on, whose nodes give so few elements on average, are run as they are if nothing in them can be fused. */
const MANY_NODES = 1000;
const FEW_ELEMENTS = 1 << 14;
const fusible = /Conv|Pool|FusedBatchNorm/;

/**
 * True for graphs in which TensorFlow's optimizers cost more than they gain: thousands of small ops, such as the steps of
 * a recurrent layer. With 12,511 nodes (an LSTM of 200 steps in training) they took 2.1 of the first batch's 6.3 s of CPU
 * time, and no later step was faster.
 */
export function gainsNothing(nodes: readonly GraphNode[]): boolean {
  if (nodes.length < MANY_NODES || nodes.some(({ op }) => fusible.test(op))) return false;
  const elements = nodes.reduce(
    (sum, { outputs }) => sum + outputs.reduce((all, output) => all + elementsOf(output), 0),
    0,
  );
  return elements < nodes.length * FEW_ELEMENTS;
}

/** A key that is equal for configurations that share a session. */
export function configKey({ deterministic }: SessionConfig): string {
  return String(deterministic === true);
}
