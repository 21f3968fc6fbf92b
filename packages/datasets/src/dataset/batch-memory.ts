import type { Batch } from "./dataset.ts";

/** Reuses the memory of released batches. */
export interface BatchMemory {
  /** A buffer of `bytes` bytes, with any content. */
  take(bytes: number): ArrayBuffer;
  giveBack(memory: ArrayBuffer): void;
}

/** The most bytes of unused buffers. */
const mostSpareBytes = 64 * 2 ** 20;

export function batchMemory(): BatchMemory {
  const spare: ArrayBuffer[] = [];
  const spareBytes = () => spare.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return {
    take(bytes) {
      const place = spare.findIndex(({ byteLength }) => byteLength === bytes);
      return place < 0 ? new ArrayBuffer(bytes) : spare.splice(place, 1)[0]!;
    },
    giveBack(memory) {
      spare.push(memory);
      // The oldest buffers probably have a size that is no longer used.
      while (spareBytes() > mostSpareBytes) spare.shift();
    },
  };
}

/** A batch that can return its memory. It is a class so that its fields stay plain data for comparing and sending. */
export class LentBatch implements Batch {
  images: Batch["images"];
  readonly shape: Batch["shape"];
  readonly labels: Int32Array;
  readonly indices: Int32Array;
  readonly place: number;
  declare readonly targets?: Exclude<Batch["targets"], undefined>;
  declare readonly inputs?: Exclude<Batch["inputs"], undefined>;
  declare readonly part?: Exclude<Batch["part"], undefined>;
  #home: BatchMemory | undefined;

  constructor(
    { images, shape, labels, indices, place, targets, inputs, part }: Batch & { place: number },
    home: BatchMemory,
  ) {
    this.images = images;
    this.shape = shape;
    this.labels = labels;
    this.indices = indices;
    this.place = place;
    if (targets !== undefined) this.targets = targets;
    if (inputs !== undefined) this.inputs = inputs;
    if (part !== undefined) this.part = part;
    this.#home = home;
  }

  release(): void {
    // A buffer that was returned twice would serve two batches at once.
    const home = this.#home;
    this.#home = undefined;
    if (home === undefined) return;
    home.giveBack(this.images.buffer as ArrayBuffer);
    // A stale reference to this batch must not see the pixels of the next one.
    this.images = new Uint8Array(0);
  }
}
