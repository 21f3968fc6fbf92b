import * as tf from "@tensorflow/tfjs-core";
import { constantOf } from "./constant.ts";
import type { Constant, ElementKind } from "./constant.ts";
import type { OnnxNode } from "./node.ts";

/** Says that a node needs values which the GPU gives only asynchronously. */
export class UnreadError extends Error {
  override readonly name = "UnreadError";
}

/**
 * The results of operations on constants. WebGPU reads asynchronously, and a graph is read synchronously: so there a node whose results are not
 * yet known throws an `UnreadError`, `read` waits for them, and the graph is read again with them.
 */
export class Folds {
  readonly #known = new Map<OnnxNode, Constant[][]>();
  readonly #taken = new Map<OnnxNode, number>();
  readonly #waiting: (() => Promise<void>)[] = [];

  /** Begins another reading of the same nodes. */
  begin(): void {
    this.#taken.clear();
  }

  /** The results of the next operation of a node. */
  take(node: OnnxNode, types: readonly ElementKind[], compute: () => tf.Tensor[]): Constant[] {
    const place = this.#taken.get(node) ?? 0;
    this.#taken.set(node, place + 1);
    const known = this.#known.get(node) ?? [];
    this.#known.set(node, known);
    const before = known[place];
    if (before !== undefined) return before;
    const results = tf.tidy(compute);
    const constants = (values: readonly ArrayLike<number>[]): Constant[] =>
      results.map(({ shape }, index) => constantOf(shape, types[index]!, values[index]!));
    if (tf.getBackend() !== "webgpu") {
      const made = constants(results.map((tensor) => tensor.dataSync()));
      tf.dispose(results);
      return made;
    }
    this.#waiting.push(async () => {
      known[place] = constants(await Promise.all(results.map((tensor) => tensor.data())));
      tf.dispose(results);
    });
    throw new UnreadError(`The results of ${node.place} are not read yet`);
  }

  /** Waits for the results that are not known yet. */
  async read(): Promise<void> {
    await Promise.all(this.#waiting.splice(0).map((each) => each()));
  }
}
