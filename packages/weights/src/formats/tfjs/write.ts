import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeFileAtomic } from "@convkit/files";
import { narrowFloat16 } from "../../bytes/half-float.ts";
import type { TensorData } from "../../bytes/named-tensor.ts";
import { isOwnLayer } from "../../layers/register.ts";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { ownModule } from "../keras/config.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";

export type Quantization = "float16" | "uint8" | "uint16";

/** The shard size of tfjs' own converter. Browsers cache files of this size. */
const shardBytes = 4 << 20;

/**
 * Writes `model.json` and its shards into a folder; quantized weights become float16, or 8- or 16-bit integers with a
 * scale and a minimum.
 */
export async function writeTfjs(
  folder: string,
  model: tfl.LayersModel,
  { quantize, metadata = {} }: { readonly quantize?: Quantization | undefined; readonly metadata?: ModelMetadata } = {},
): Promise<void> {
  const entries: object[] = [];
  const shards = new ShardWriter(folder);
  for (const variable of model.weights) {
    const tensor = variableTensor(variable.originalName, variable);
    const values = tensor.read();
    const packed = quantize === undefined || values instanceof Int32Array ? undefined : pack(values, quantize);
    entries.push({
      name: tensor.name,
      shape: tensor.shape,
      dtype: tensor.dtype,
      ...(packed === undefined ? {} : { quantization: packed.how }),
    });
    const data = packed?.data ?? values;
    await shards.add(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const { paths, sha256 } = await shards.finish();
  const own = metadataText(metadata) === undefined ? {} : { [metadataKey]: metadata };
  const told = { ...model.getUserDefinedMetadata(), ...own };
  const document = {
    format: "layers-model",
    generatedBy: "convkit",
    convertedBy: null,
    modelTopology: topologyOf(model),
    weightsManifest: [{ paths, sha256, weights: entries }],
    ...(Object.keys(told).length === 0 ? {} : { userDefinedMetadata: told }),
  };
  await writeFileAtomic(join(folder, "model.json"), JSON.stringify(document));
}

/** tfjs' topology, with a mark on layers of our own classes, since a user's class may have the same name. */
function topologyOf(model: tfl.LayersModel): object {
  const topology = JSON.parse(JSON.stringify(model.toJSON(null, false))) as { config: Topology };
  mark(model, topology.config);
  return topology;
}

interface Topology {
  readonly layers?: {
    readonly name?: string;
    readonly config: Topology & { readonly name?: string };
    module?: string;
  }[];
}

function mark(model: tfl.LayersModel, { layers = [] }: Topology): void {
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
  for (const row of layers) {
    const layer = byName.get(row.config.name ?? row.name ?? "");
    if (layer === undefined) continue;
    if ("layers" in layer) mark(layer as tfl.LayersModel, row.config);
    else if (isOwnLayer(layer)) row.module = ownModule;
  }
}

function pack(values: TensorData, quantize: Quantization): { data: Uint16Array | Uint8Array; how: object } {
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
  readonly #folder: string;
  #pending: Uint8Array[] = [];
  #held = 0;
  readonly #hashes: string[] = [];

  constructor(folder: string) {
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
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    await writeFileAtomic(join(this.#folder, shardName(this.#hashes.length)), parts);
    this.#hashes.push(hash.digest("hex"));
    this.#pending = [];
    this.#held = 0;
  }
}

function shardName(index: number): string {
  return `weights.${String(index).padStart(3, "0")}.bin`;
}
