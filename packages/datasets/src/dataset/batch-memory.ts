import type { Batch } from "./dataset.ts";

/** Memory that batches gave back, for batches to come. */
export interface BatchMemory {
  /** So many bytes, whatever they hold. */
  take(bytes: number): ArrayBuffer;
  giveBack(memory: ArrayBuffer): void;
}

/** The most bytes that are kept for batches to come. */
const mostKept = 64 * 2 ** 20;

export function batchMemory(): BatchMemory {
  const spare: ArrayBuffer[] = [];
  const kept = () => spare.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return {
    take(bytes) {
      const place = spare.findIndex(({ byteLength }) => byteLength === bytes);
      return place < 0 ? new ArrayBuffer(bytes) : spare.splice(place, 1)[0]!;
    },
    giveBack(memory) {
      spare.push(memory);
      // What was given back first is of a size that nobody asks for any more.
      while (kept() > mostKept) spare.shift();
    },
  };
}

/** A batch whose images lie in memory that can be given back; a class, so that it stays plain data to whoever compares or sends it. */
export class LentBatch implements Batch {
  images: Batch["images"];
  readonly shape: Batch["shape"];
  readonly labels: Int32Array;
  readonly indices: Int32Array;
  readonly place: number;
  #home: BatchMemory | undefined;

  constructor({ images, shape, labels, indices, place }: Batch & { place: number }, home: BatchMemory) {
    this.images = images;
    this.shape = shape;
    this.labels = labels;
    this.indices = indices;
    this.place = place;
    this.#home = home;
  }

  release(): void {
    // Given back twice, it would become two batches.
    const home = this.#home;
    this.#home = undefined;
    if (home === undefined) return;
    home.giveBack(this.images.buffer as ArrayBuffer);
    // Whoever kept the batch finds no pixels, rather than those of another.
    this.images = new Uint8Array(0);
  }
}
