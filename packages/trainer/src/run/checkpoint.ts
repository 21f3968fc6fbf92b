import { oneOf, wholeFromZero } from "@convkit/errors";
import { type FileHandle, crc32, join, open, readdir, rename, rm } from "@convkit/files/system";
import type * as tf from "@tensorflow/tfjs-core";
import { finalName, type JsonValue, readJson, writeFileAtomic, writeFolderAtomic, writeJson } from "@convkit/files";
import { listOf, shaped, type StoredShape, storedProblems, text, throwStored } from "../checks/stored.ts";
import { TrainerError, unreadable } from "../trainer-error.ts";

/** A named array of a checkpoint. */
export interface SavedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** A tensor's values under its name in checkpoints. */
export async function savedArray({ name, tensor }: { readonly name: string; readonly tensor: tf.Tensor }) {
  const data = (await tensor.data()) as Float32Array | Int32Array;
  return { name, shape: tensor.shape, dtype: tensor.dtype as "float32" | "int32", data };
}

/** Everything that a run needs to resume as if it had not stopped. */
export interface Checkpoint {
  /** Finished steps since the beginning. */
  readonly step: number;
  readonly state: JsonValue;
  readonly arrays: readonly SavedArray[];
}

const folderName = /^step-(\d{8,})$/;

interface Header {
  readonly step: number;
  readonly state: JsonValue;
  readonly arrays: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly dtype: SavedArray["dtype"];
    readonly offset: number;
    readonly bytes: number;
    /** Checksum of the array's bytes; missing in checkpoints of earlier versions. */
    readonly crc32?: number;
  }[];
}

/** The header as it is stored, with the checksum of its JSON text. Checkpoints of earlier versions have no checksum. */
interface StoredHeader extends Header {
  readonly crc32?: number;
}

/** Writes a checkpoint as `folder/step-N/` and returns its path. It appears complete or not at all. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  const path = join(folder, `step-${String(checkpoint.step).padStart(8, "0")}`);
  let offset = 0;
  const arrays = checkpoint.arrays.map(({ name, shape, dtype, data }) => {
    const entry = { name, shape, dtype, offset, bytes: data.byteLength, crc32: crc32(bytesOf(data)) };
    offset += data.byteLength;
    return entry;
  });
  const header: Header = { step: checkpoint.step, state: checkpoint.state, arrays };
  await writeFolderAtomic(path, async (inside) => {
    await writeFileAtomic(
      join(inside, "arrays.bin"),
      checkpoint.arrays.map(({ data }) => bytesOf(data)),
    );
    // Written last and removed first: only a folder with this file is a checkpoint.
    const stored: StoredHeader = { ...header, crc32: crc32(JSON.stringify(header)) };
    await writeJson(join(inside, "checkpoint.json"), stored);
  });
  return path;
}

/**
 * Finishes what a killed process left undone: the rename of a complete checkpoint (the new one, or the old one that it was to
 * replace), and the removal of an old one.
 */
export async function recoverCheckpoints(folder: string): Promise<void> {
  const names = await namesIn(folder);
  for (const name of names.filter((each) => folderName.test(each)))
    if (!(await isCheckpoint(join(folder, name)))) await rm(join(folder, name), { recursive: true, force: true });
  for (const name of names) {
    const final = finalName(name);
    if (final === undefined || !folderName.test(final)) continue;
    if (!(await isCheckpoint(join(folder, name)))) continue;
    if (!(await namesIn(folder)).includes(final)) await rename(join(folder, name), join(folder, final));
  }
}

/** The steps of the checkpoints in `folder`, ascending. */
export async function listCheckpoints(folder: string): Promise<number[]> {
  const names = (await namesIn(folder)).filter((name) => folderName.test(name));
  const whole = await Promise.all(names.map((name) => isCheckpoint(join(folder, name))));
  return names
    .filter((_, place) => whole[place])
    .map((name) => Number(folderName.exec(name)![1]))
    .toSorted((a, b) => a - b);
}

/** False for a folder that a killed process was filling or removing. */
async function isCheckpoint(folder: string): Promise<boolean> {
  return (await namesIn(folder)).includes("checkpoint.json");
}

/**
 * Reads the checkpoint of a step. Throws `TrainerError` or `FileError`, which name the file, if it is damaged or does not have the
 * bytes that its header states.
 */
export async function readCheckpoint(folder: string, step: number): Promise<Checkpoint> {
  const path = checkpointPath(folder, step);
  const header = await readHeader(join(path, "checkpoint.json"));
  const file = join(path, "arrays.bin");
  const arrays = await withFile(file, async (handle) => {
    const wanted = header.arrays.reduce((sum, { bytes }) => sum + bytes, 0);
    const { size } = await handle.stat();
    if (size !== wanted) throw new TrainerError(`${file} must have ${wanted} bytes but has ${size}.`);
    const read: SavedArray[] = [];
    for (const { name, shape, dtype, offset, bytes, crc32: expected } of header.arrays) {
      const data = new arrayTypes[dtype](bytes / arrayTypes[dtype].BYTES_PER_ELEMENT);
      await fill(handle, bytesOf(data), offset);
      const got = crc32(bytesOf(data));
      if (expected !== undefined && got !== expected)
        throw new TrainerError(`${file} is damaged: expected the CRC-32 ${expected} for ${name}, got ${got}.`);
      read.push({ name, shape, dtype, data });
    }
    return read;
  });
  return { step: header.step, state: header.state, arrays };
}

/** Opens a file to read, and closes it; throws a `TrainerError` that names the file if it cannot be read. */
async function withFile<Result>(file: string, use: (handle: FileHandle) => Promise<Result>): Promise<Result> {
  try {
    const handle = await open(file, "r");
    try {
      return await use(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof TrainerError ? error : unreadable(file, error);
  }
}

/** Reads as many bytes as `into` has; one call of the system reads at most 2 GiB. */
async function fill(handle: FileHandle, into: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < into.byteLength;) {
    const { bytesRead } = await handle.read(into, done, Math.min(into.byteLength - done, 1 << 30), start + done);
    if (bytesRead === 0) throw new Error("it became shorter while it was read");
    done += bytesRead;
  }
}

const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** Generous: the header of a network of a thousand layers takes 1 MB. */
const headerLimits = { maxBytes: 64 << 20, maxDepth: 100 };

async function readHeader(file: string): Promise<Header> {
  const stored = (await readJson(file, headerLimits)) as unknown as StoredHeader;
  throwStored(file, storedProblems("the checkpoint", stored, headerShape));
  const { crc32: expected, ...header } = stored;
  const got = crc32(JSON.stringify(header));
  if (expected !== undefined && got !== expected)
    throw new TrainerError(`${file} is damaged: expected the CRC-32 ${expected}, got ${got}.`);
  let end = 0;
  for (const { name, shape, dtype, offset, bytes } of header.arrays) {
    const needed = shape.reduce((size, side) => size * side, arrayTypes[dtype].BYTES_PER_ELEMENT);
    if (offset !== end || bytes !== needed)
      throw new TrainerError(
        `${file} is damaged: ${name} [${shape.join(", ")}] must have ${needed} bytes at ${end}, not ${bytes} at ${offset}.`,
      );
    end += bytes;
  }
  return header;
}

const headerShape: StoredShape = {
  fields: {
    step: wholeFromZero,
    arrays: listOf(
      shaped({
        fields: {
          name: text,
          shape: listOf(wholeFromZero),
          dtype: oneOf(Object.keys(arrayTypes)),
          offset: wholeFromZero,
          bytes: wholeFromZero,
        },
        optional: { crc32: wholeFromZero },
      }),
    ),
  },
  optional: { crc32: wholeFromZero },
};

function bytesOf({ buffer, byteOffset, byteLength }: SavedArray["data"]): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Deletes the checkpoints in `folder`, except for the steps in `kept`. */
export async function pruneCheckpoints(folder: string, kept: ReadonlySet<number>): Promise<void> {
  for (const step of await listCheckpoints(folder)) {
    if (kept.has(step)) continue;
    await rm(join(checkpointPath(folder, step), "checkpoint.json"));
    await rm(checkpointPath(folder, step), { recursive: true, force: true });
  }
}

/** The names in a folder; none if there is no such folder, or a file in its place. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw unreadable(folder, error);
  });
}

/** The folder of the checkpoint of a step. */
export function checkpointPath(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, "0")}`);
}
