import { checkOptions } from "@convkit/errors";
import { crc32 } from "@convkit/files/system";
import { decodeElements } from "../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../bytes/named-tensor.ts";
import type { WeightsSource } from "../load/find-source.ts";
import { openWeights } from "../load/open-weights.ts";
import type { OpenWeightsOptions, WeightsFormat } from "../load/weights-file.ts";
import { containerTensors } from "./convert-weights.ts";

export interface ListedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** The type in the file. */
  readonly dtype: StoredType;
  /** The sum of all elements; undefined for complex numbers. */
  readonly sum: number | undefined;
  /** The CRC-32 of the elements, little-endian and in row-major order: equal in every container. */
  readonly crc32: string;
}

export interface WeightsList {
  readonly format: WeightsFormat;
  readonly weights: readonly ListedWeight[];
  /** What was chosen or left out, a sentence each. */
  readonly notes: readonly string[];
}

/** Lists the weights of a file of any format: name, shape, type, sum and checksum. Reads one tensor at a time. */
export async function listWeights(source: WeightsSource, options: OpenWeightsOptions = {}): Promise<WeightsList> {
  checkOptions("listWeights", options, { state: true });
  const file = await openWeights(source, options);
  try {
    const weights = containerTensors(file).map((tensor) => listed(file.path, tensor));
    const unread = [...file.unread].map(([name, problem]) => `"${name}" ${problem}`);
    return { format: file.format, weights, notes: [...new Set([...file.notes, ...unread])] };
  } finally {
    file.close();
  }
}

function listed(file: string, { name, shape, dtype, place, readBytes }: NamedTensor): ListedWeight {
  const bytes = readBytes();
  const checksum = crc32(bytes).toString(16).padStart(8, "0");
  const values = dtype.startsWith("complex") ? undefined : numbersOf(file, place, dtype, bytes);
  let sum = values === undefined ? undefined : 0;
  if (sum !== undefined) for (const value of values!) sum += Number(value);
  return { name, shape, dtype, sum, crc32: checksum };
}

/** The elements in full precision. */
function numbersOf(
  file: string,
  place: string,
  dtype: StoredType,
  bytes: Uint8Array<ArrayBuffer>,
): Iterable<number | bigint> {
  const kind = wide[dtype];
  if (kind === undefined) return decodeElements(bytes, dtype, file, place);
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  return new kind(aligned.buffer, aligned.byteOffset, aligned.byteLength / kind.BYTES_PER_ELEMENT);
}

/** Types whose elements `decodeElements` would round or refuse. */
const wide: Readonly<
  Partial<Record<StoredType, typeof Float64Array | typeof BigInt64Array | typeof BigUint64Array | typeof Uint32Array>>
> = { float64: Float64Array, int64: BigInt64Array, uint64: BigUint64Array, uint32: Uint32Array };
