import { newSha256 } from "@convkit/files/system";
import { narrowFloat16 } from "../../bytes/half-float.ts";
import type { FolderToFill } from "../../save/destination.ts";

export type Quantization = "float16" | "uint8" | "uint16";

export const quantizations: Readonly<Record<Quantization, true>> = { float16: true, uint8: true, uint16: true };

/** The shard size of tfjs' own converter. Browsers cache files of this size. */
const shardBytes = 4 << 20;

/** A tensor to write. Its values are read when their turn comes. */
interface ShardTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly read: () => Float32Array | Int32Array | Uint8Array;
}

/** A group of tfjs' `weightsManifest`. */
interface ManifestGroup {
  readonly paths: readonly string[];
  /** The sha256 of each shard. */
  readonly sha256: readonly string[];
  readonly weights: readonly object[];
}

/** Writes tensors into shards in a folder; returns the manifest of them. Floats are quantized if asked. */
export async function writeShards(
  folder: FolderToFill,
  tensors: readonly ShardTensor[],
  quantize: Quantization | undefined,
): Promise<ManifestGroup> {
  const weights: object[] = [];
  const shards = new ShardWriter(folder);
  for (const { name, shape, dtype, read } of tensors) {
    const values = read();
    const packed = quantize === undefined || !(values instanceof Float32Array) ? undefined : pack(values, quantize);
    weights.push({ name, shape, dtype, ...(packed === undefined ? {} : { quantization: packed.how }) });
    const data = packed?.data ?? values;
    await shards.add(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return { ...(await shards.finish()), weights };
}

function pack(values: Float32Array, quantize: Quantization): { data: Uint16Array | Uint8Array; how: object } {
  if (quantize === "float16")
    return { data: narrowFloat16(Float32Array.from(values)), how: { dtype: "float16", original_dtype: "float32" } };
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (values.length === 0) [low, high] = [0, 0];
  // Include zero in the range, so that it stays exact. Zeros from padding and ReLU matter more than the last bit.
  [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  const steps = quantize === "uint8" ? 255 : 65_535;
  const scale = high === low ? 1 : (high - low) / steps;
  const min = Math.round(low / scale) * scale;
  const data = quantize === "uint8" ? new Uint8Array(values.length) : new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++)
    data[i] = Math.min(steps, Math.max(0, Math.round((values[i]! - min) / scale)));
  return { data, how: { dtype: quantize, scale, min, original_dtype: "float32" } };
}

/** Writes shards of equal size, one after the other. */
class ShardWriter {
  readonly #folder: FolderToFill;
  #pending: Uint8Array[] = [];
  #held = 0;
  readonly #hashes: string[] = [];

  constructor(folder: FolderToFill) {
    this.#folder = folder;
  }

  async add(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (this.#held + rest.byteLength >= shardBytes) {
      const room = shardBytes - this.#held;
      this.#pending.push(rest.subarray(0, room));
      rest = rest.subarray(room);
      await this.#flush();
    }
    if (rest.byteLength > 0) {
      // Copy the rest, so that the large buffer can be freed.
      this.#pending.push(new Uint8Array(rest));
      this.#held += rest.byteLength;
    }
  }

  /** The names of the shards and the sha256 of each. */
  async finish(): Promise<{ readonly paths: readonly string[]; readonly sha256: readonly string[] }> {
    if (this.#held > 0) await this.#flush();
    return { paths: this.#hashes.map((_, index) => shardName(index)), sha256: this.#hashes };
  }

  async #flush(): Promise<void> {
    const parts = this.#pending;
    const hash = newSha256();
    for (const part of parts) hash.update(part);
    await this.#folder.write(shardName(this.#hashes.length), parts);
    this.#hashes.push(hash.digest());
    this.#pending = [];
    this.#held = 0;
  }
}

function shardName(index: number): string {
  return `weights.${String(index).padStart(3, "0")}.bin`;
}
