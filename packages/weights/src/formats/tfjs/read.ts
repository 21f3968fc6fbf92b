import { shown } from "@convkit/errors";
import { basename, join } from "@convkit/files/system";
import { concatenated } from "../../bytes/byte-source.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { staysInside } from "../../bytes/file-folder.ts";
import { isObject, readJson } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { checkedCount, computedTensor, decodeElements, dtypeBytes } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType, TensorData } from "../../bytes/named-tensor.ts";
import { sha256Checksum, verified } from "../../bytes/verified-source.ts";
import { WeightsError } from "../../weights-error.ts";

const knownTypes = ["float32", "float16", "int32", "uint8", "bool"] as const;
const quantizedTypes = ["uint8", "uint16", "float16"] as const;

/** A tfjs layers model: `model.json` and the shards beside it, which are opened when a tensor is read. */
export function readTfjs(source: ByteSource): {
  tensors: NamedTensor[];
  topology: JsonObject | undefined;
  /** Metadata from the writer of the file: tfjs' `userDefinedMetadata`. */
  told: JsonObject;
  close: () => void;
} {
  const model = readJson(source);
  const manifest = model["weightsManifest"];
  if (model["format"] === "graph-model") {
    throw new WeightsError(
      source.file,
      "format",
      "expected a layers model, got a graph model, whose layers are gone: convert its Keras source instead",
    );
  }
  if (!Array.isArray(manifest))
    throw new WeightsError(source.file, "weightsManifest", "expected a list of groups of weights");
  source.folder?.expect?.(shardPaths(manifest));
  const shards = new Map<string, ByteSource>();
  const close = (): void => shards.forEach((shard) => shard.close());
  try {
    const tensors = manifest.flatMap((group: unknown, index) => {
      const place = `weightsManifest[${index}]`;
      if (!isObject(group) || !Array.isArray(group["paths"]) || !Array.isArray(group["weights"])) {
        throw new WeightsError(source.file, place, "expected paths and weights");
      }
      const hashes = checkedHashes(source.file, place, group["sha256"], group["paths"].length);
      const parts = group["paths"].map((path: unknown, part) => {
        const shard = openShard(source, place, path, shards);
        const hash = hashes?.[part] ?? hashInName(shard.file);
        return hash === undefined ? shard : verified(shard, sha256Checksum(hash));
      });
      return readGroup(source.file, place, concatenated(source.file, parts), group["weights"]);
    });
    const topology = model["modelTopology"];
    const told = model["userDefinedMetadata"];
    return { tensors, topology: isObject(topology) ? topology : undefined, told: isObject(told) ? told : {}, close };
  } catch (error) {
    close();
    throw error;
  }
}

function readGroup(file: string, place: string, bytes: ByteSource, weights: readonly unknown[]): NamedTensor[] {
  let offset = 0;
  const tensors = weights.map((entry, index) => {
    const { name, shape, dtype } = isObject(entry) ? entry : {};
    const count = checkedCount(shape);
    const type = knownTypes.find((known) => known === dtype);
    if (typeof name !== "string" || count === undefined || type === undefined) {
      throw new WeightsError(
        file,
        `${place}.weights[${index}]`,
        `expected name, shape and a dtype of ${knownTypes.join(", ")}`,
      );
    }
    const packing = readQuantization(file, `tensor "${name}"`, (entry as JsonObject)["quantization"]);
    const stored = packing?.dtype ?? type;
    const start = offset;
    const size = count * dtypeBytes[stored];
    offset += size;
    const read = (): TensorData => {
      const values = decodeElements(bytes.read(start, size), stored, file, `tensor "${name}"`);
      return packing === undefined || packing.scale === undefined
        ? values
        : dequantize(values, packing.scale, packing.min, type);
    };
    return computedTensor({
      name,
      shape: shape as number[],
      dtype: type === "float16" ? "float32" : type,
      place: `tensor "${name}"`,
      read,
    });
  });
  if (offset !== bytes.size)
    throw new WeightsError(file, place, `its tensors need ${offset} bytes, but its shards have ${bytes.size}`);
  return tensors;
}

interface Packing {
  readonly dtype: StoredType;
  readonly scale: number | undefined;
  readonly min: number;
}

function readQuantization(file: string, place: string, packing: unknown): Packing | undefined {
  if (packing === undefined || packing === null) return undefined;
  const { dtype, scale, min } = isObject(packing) ? packing : {};
  const known = quantizedTypes.find((type) => type === dtype);
  if (known === undefined)
    throw new WeightsError(file, place, `quantization must be one of ${quantizedTypes.join(", ")}`);
  if (known === "float16") return { dtype: known, scale: undefined, min: 0 };
  if (typeof scale !== "number" || typeof min !== "number" || !Number.isFinite(scale) || !Number.isFinite(min))
    throw new WeightsError(file, place, "quantization needs a scale and a min");
  return { dtype: known, scale, min };
}

function dequantize(values: TensorData, scale: number, min: number, type: StoredType): TensorData {
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = values[i]! * scale + min;
  return type === "int32" ? Int32Array.from(out, Math.round) : out;
}

/** The sha256 of each shard, which convkit writes beside tfjs' own keys; undefined if the file has none. */
function checkedHashes(file: string, place: string, given: unknown, count: number): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const isHash = (value: unknown): value is string => typeof value === "string" && /^[\da-f]{64}$/.test(value);
  if (!Array.isArray(given) || given.length !== count || !given.every(isHash))
    throw new WeightsError(file, place, `expected a sha256 for each of ${count} paths, got ${shown(given)}`);
  return given;
}

/** The sha256 in a shard's name: earlier versions of the trainer wrote `weights-<sha256>.bin`. */
function hashInName(path: string): string | undefined {
  return /^weights-([\da-f]{64})\.bin$/.exec(basename(path))?.[1];
}

/** The paths of all shards that lie in the model's folder; wrong ones are refused where they are opened. */
function shardPaths(manifest: readonly unknown[]): string[] {
  const paths = manifest.flatMap((group) => (isObject(group) && Array.isArray(group["paths"]) ? group["paths"] : []));
  return paths
    .filter((path): path is string => typeof path === "string" && staysInside(path))
    .map((path) => join(path));
}

function openShard(
  { file, folder }: ByteSource,
  place: string,
  path: unknown,
  shards: Map<string, ByteSource>,
): ByteSource {
  if (typeof path !== "string" || !staysInside(path))
    throw new WeightsError(file, place, `the path ${shown(path)} leaves the model's folder`);
  const name = join(path);
  // Repeating a shard would let a small file state a model of any size.
  if (shards.has(name)) throw new WeightsError(file, place, `the shard ${shown(path)} is there twice`);
  if (folder === undefined) throw new WeightsError(file, place, `the shard ${shown(path)} is not there`);
  const shard = folder.open(name);
  shards.set(name, shard);
  return shard;
}
