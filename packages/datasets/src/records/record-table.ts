import type { RawLabels } from "./class-labels.ts";
import type { FileSpan } from "../images/image-source.ts";
import type { ListedShard } from "./shard-format.ts";

/** The records of all shards of a split, numbered through; some bytes for each, whatever the images have. */
export class RecordTable implements RawLabels {
  readonly files: readonly string[];
  /** The number of the first record of each shard. */
  readonly firsts: readonly number[];
  readonly count: number;
  readonly labels: readonly (string | number)[];
  /** The values of the fields of labels and numbers of each record. */
  readonly values: readonly (readonly string[])[];
  readonly classes: readonly string[] | undefined;
  /** The shards that must be read from their start. */
  readonly streamed: readonly string[];
  readonly #starts: Float64Array;
  readonly #lengths: Int32Array;
  readonly #isJpeg: Uint8Array;
  /** Keys of each shard, one after the other. */
  readonly #keys: readonly Buffer[];
  readonly #keyEnds: Int32Array;

  constructor(files: readonly string[], shards: readonly ListedShard[]) {
    this.files = files;
    const counts = shards.map(({ records }) => records.length);
    this.count = counts.reduce((sum, count) => sum + count, 0);
    this.firsts = counts.map((_, shard) => counts.slice(0, shard).reduce((sum, count) => sum + count, 0));
    this.labels = shards.flatMap(({ records }) => records.map(({ label }) => label));
    this.values = shards.flatMap(({ records }) => records.map(({ values = [] }) => values));
    this.classes = shards.find(({ classes }) => classes !== undefined)?.classes;
    this.streamed = files.filter((_, shard) => shards[shard]!.records.some(({ place }) => place === undefined));
    this.#starts = new Float64Array(this.count);
    this.#lengths = new Int32Array(this.count);
    this.#isJpeg = new Uint8Array(this.count);
    this.#keyEnds = new Int32Array(this.count);
    this.#keys = shards.map(({ records }, shard) => {
      let end = 0;
      const keys = records.map(({ key, place, isJpeg }, at) => {
        const record = this.firsts[shard]! + at;
        this.#starts[record] = place?.start ?? 0;
        this.#lengths[record] = place?.length ?? 0;
        this.#isJpeg[record] = isJpeg ? 1 : 0;
        const bytes = Buffer.from(key);
        end += bytes.length;
        this.#keyEnds[record] = end;
        return bytes;
      });
      return Buffer.concat(keys);
    });
  }

  /** The shard of a record, by halving. */
  shardOf(record: number): number {
    let [low, high] = [0, this.firsts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.firsts[middle]! <= record) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  describe(record: number): string {
    const shard = this.shardOf(record);
    const from = record === this.firsts[shard] ? 0 : this.#keyEnds[record - 1]!;
    return `${this.files[shard]}: ${this.#keys[shard]!.toString("utf8", from, this.#keyEnds[record])}`;
  }

  /** Where the record's image lies, for shards that are not streamed. */
  spanOf(record: number): FileSpan {
    return {
      file: this.files[this.shardOf(record)]!,
      start: this.#starts[record]!,
      length: this.#lengths[record]!,
      name: this.describe(record),
      isJpeg: this.#isJpeg[record] === 1,
    };
  }
}
