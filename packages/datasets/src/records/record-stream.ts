import { DataError } from "../data-error.ts";

/** The shards of a data set whose records are numbered through all shards. */
export interface StreamedShards {
  readonly files: readonly string[];
  /** The number of the first record of each shard. */
  readonly firsts: readonly number[];
  /** The number of all records. */
  readonly count: number;
  shardOf(record: number): number;
  images(file: string): AsyncGenerator<Uint8Array>;
}

/**
 * Reads records of shards that can only be read from their start. Records that come before they are wanted are held; in
 * the order of `windowOrder` they are never more than the window.
 */
export class RecordStream {
  readonly #shards: StreamedShards;
  /** How often each record is still wanted. */
  readonly #wanted: Uint16Array;
  readonly #wantedOfShard: Float64Array;
  readonly #held = new Map<number, Uint8Array>();
  readonly #open = new Map<number, { images: AsyncGenerator<Uint8Array>; next: number }>();
  #queue: Promise<unknown> = Promise.resolve();

  /** `records` are all that will be read, in this order. */
  constructor(shards: StreamedShards, records: Int32Array) {
    this.#shards = shards;
    this.#wanted = new Uint16Array(shards.count);
    this.#wantedOfShard = new Float64Array(shards.files.length);
    for (const record of records) {
      this.#wanted[record]! += 1;
      this.#wantedOfShard[shards.shardOf(record)]! += 1;
    }
  }

  /** The encoded images of records; calls are served one after the other. */
  take(records: readonly number[]): Promise<Uint8Array[]> {
    const taken = this.#queue.then(async () => {
      const images: Uint8Array[] = [];
      for (const record of records) images.push(await this.#take(record));
      return images;
    });
    this.#queue = taken.catch(() => {});
    return taken;
  }

  /** Says that records are not wanted again. */
  async release(records: Int32Array): Promise<void> {
    for (const record of records) {
      const shard = this.#shards.shardOf(record);
      this.#wanted[record]! -= 1;
      this.#wantedOfShard[shard]! -= 1;
      if (this.#wanted[record] === 0) this.#held.delete(record);
      if (this.#wantedOfShard[shard] === 0) await this.#close(shard);
    }
  }

  async close(): Promise<void> {
    await this.#queue;
    for (const shard of this.#open.keys()) await this.#close(shard);
    this.#held.clear();
  }

  /** Bytes and number of the records that are held. */
  get held(): { readonly bytes: number; readonly records: number } {
    let bytes = 0;
    for (const image of this.#held.values()) bytes += image.length;
    return { bytes, records: this.#held.size };
  }

  async #take(record: number): Promise<Uint8Array> {
    const shard = this.#shards.shardOf(record);
    const file = this.#shards.files[shard]!;
    for (;;) {
      const held = this.#held.get(record);
      if (held !== undefined) return held;
      let open = this.#open.get(shard);
      if (open === undefined) {
        open = { images: this.#shards.images(file), next: this.#shards.firsts[shard]! };
        this.#open.set(shard, open);
      }
      const { done, value } = await open.images.next();
      if (done === true) throw new DataError(`${file} has fewer records than it had; it was changed while it was read`);
      if (this.#wanted[open.next]! > 0) this.#held.set(open.next, value);
      open.next += 1;
    }
  }

  async #close(shard: number): Promise<void> {
    const open = this.#open.get(shard);
    this.#open.delete(shard);
    await open?.images.return(undefined);
  }
}
