import type { Backend } from "../tfjs/backend.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import type { Leaf } from "../values/signature.ts";
import { recordCalls } from "./build-graph.ts";
import type { RecordAll, Recorded } from "./build-graph.ts";
import { batchDependent, freeBatch } from "./free-batch-size.ts";

type Function = (...args: unknown[]) => unknown;

/** The arguments of a call: its tensors, and the rest with slots in their place. */
interface Signature {
  readonly leaves: readonly Leaf[];
  readonly skeleton: unknown;
}

/** A function recorded so that its graph takes any batch size. */
export interface AnyBatch {
  readonly recorded: Recorded;
  readonly nodes: readonly GraphNode[];
  /** The batch sizes of the two recordings that it was made from. */
  readonly batches: readonly [number, number];
}

/**
 * Numbers of samples that hardly any other size is equal to: TensorFlow's graph would take equal numbers for one another.
 * The second pair is for networks that have a size of the first. `model.predict` cuts more than 32 samples apart.
 */
const trialBatches = [
  [29, 31],
  [19, 23],
] as const;

/** Records the function so that its graph takes any batch size; undefined if it cannot, or if inputs differ in their first size. */
export function recordAnyBatch(
  backend: Backend,
  fn: Function,
  signature: Signature,
  options: RecordAll,
): AnyBatch | undefined {
  if (batchOf(signature.leaves) === undefined) return undefined;
  for (const batches of trialBatches) {
    try {
      const [recorded, other] = batches.map((batch) => {
        return recordCalls(backend, fn, withBatch(signature, batch), options);
      }) as [Recorded, Recorded];
      const nodes = freeBatch(recorded.nodes, other.nodes, batches);
      if (nodes !== undefined) return { recorded, nodes, batches };
    } catch {
      // The function takes the batch size of its arguments only.
      return undefined;
    }
  }
  return undefined;
}

/** The first size of all inputs, if they have one in common. */
export function batchOf(leaves: readonly Leaf[]): number | undefined {
  const [first] = leaves.map(({ shape }) => shape[0]);
  return leaves.every(({ shape }) => shape[0] !== undefined && shape[0] === first) ? first : undefined;
}

/** The arguments with another first size. */
function withBatch({ leaves, skeleton }: Signature, batch: number): Signature {
  return { leaves: leaves.map((leaf) => ({ ...leaf, shape: [batch, ...leaf.shape.slice(1)] })), skeleton };
}

/**
 * Tells at which batch sizes a function is the same computation as its graph for any batch size. JavaScript may take
 * another way at some size, so the function is recorded once at each.
 */
export class BatchCheck {
  readonly #record: (batch: number) => readonly GraphNode[];
  readonly #batch: number;
  readonly #nodes: readonly GraphNode[];
  readonly #places: string | undefined;
  readonly #found = new Map<number, boolean>();

  constructor(
    backend: Backend,
    fn: Function,
    signature: Signature,
    { batches, options }: { batches: AnyBatch["batches"]; options: RecordAll },
  ) {
    // Weights stay variables here: only the computation is compared.
    const plain = { ...options, freeze: false, isRaw: true };
    this.#record = (batch) => recordCalls(backend, fn, withBatch(signature, batch), plain).nodes;
    const [batch, other] = batches;
    this.#batch = batch;
    this.#nodes = this.#record(batch);
    this.#places = batchDependent(this.#nodes, this.#record(other), batches)?.join();
  }

  fits(batch: number): boolean {
    let fits = this.#found.get(batch);
    if (fits === undefined) {
      const places =
        batch === this.#batch
          ? this.#places
          : batchDependent(this.#nodes, this.#record(batch), [this.#batch, batch])?.join();
      fits = places !== undefined && places === this.#places;
      this.#found.set(batch, fits);
    }
    return fits;
  }
}
