import type * as tf from "@tensorflow/tfjs-core";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { finalName, type JsonValue, writeFileAtomic, writeFolderAtomic, writeJson } from "@convkit/files";
import { TrainerError } from "../trainer-error.ts";

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
  }[];
}

/** Writes a checkpoint as `folder/step-N/` and returns its path. It appears complete or not at all. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  const path = join(folder, `step-${String(checkpoint.step).padStart(8, "0")}`);
  let offset = 0;
  const arrays = checkpoint.arrays.map(({ name, shape, dtype, data }) => {
    const entry = { name, shape, dtype, offset, bytes: data.byteLength };
    offset += data.byteLength;
    return entry;
  });
  const header: Header = { step: checkpoint.step, state: checkpoint.state, arrays };
  await writeFolderAtomic(path, async (inside) => {
    await writeFileAtomic(
      join(inside, "arrays.bin"),
      checkpoint.arrays.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    );
    // Written last: `recoverCheckpoints` takes a folder with this file for a complete checkpoint.
    await writeJson(join(inside, "checkpoint.json"), header);
  });
  return path;
}

/**
 * Finishes the rename of complete checkpoints that a killed process left: the new checkpoint, or the old one that it
 * was to replace.
 */
export async function recoverCheckpoints(folder: string): Promise<void> {
  const names = await namesIn(folder);
  for (const name of names) {
    const final = finalName(name);
    if (final === undefined || !folderName.test(final)) continue;
    // This file is written last.
    if (!(await namesIn(join(folder, name))).includes("checkpoint.json")) continue;
    if (!(await namesIn(folder)).includes(final)) await rename(join(folder, name), join(folder, final));
  }
}

/** The steps of the checkpoints in `folder`, ascending. */
export async function listCheckpoints(folder: string): Promise<number[]> {
  return (await namesIn(folder))
    .flatMap((name) => folderName.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Reads the checkpoint of a step; throws `TrainerError` if the file is shorter than its header says. */
export async function readCheckpoint(folder: string, step: number): Promise<Checkpoint> {
  const path = checkpointPath(folder, step);
  const header = JSON.parse(await readFile(join(path, "checkpoint.json"), "utf8")) as Header;
  const file = await readFile(join(path, "arrays.bin"));
  const wanted = header.arrays.reduce((sum, { bytes }) => sum + bytes, 0);
  if (file.length !== wanted)
    throw new TrainerError(`${join(path, "arrays.bin")} must have ${wanted} bytes but has ${file.length}.`);
  const arrays = header.arrays.map(({ name, shape, dtype, offset, bytes }): SavedArray => {
    // Copies, since a view must be aligned to the size of its elements.
    const buffer = file.buffer.slice(file.byteOffset + offset, file.byteOffset + offset + bytes) as ArrayBuffer;
    const data =
      dtype === "float32"
        ? new Float32Array(buffer)
        : dtype === "int32"
          ? new Int32Array(buffer)
          : new Uint8Array(buffer);
    return { name, shape, dtype, data };
  });
  return { step: header.step, state: header.state, arrays };
}

/** Deletes the checkpoints in `folder`, except for the steps in `kept`. */
export async function pruneCheckpoints(folder: string, kept: ReadonlySet<number>): Promise<void> {
  for (const step of await listCheckpoints(folder))
    if (!kept.has(step)) await rm(checkpointPath(folder, step), { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

function checkpointPath(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, "0")}`);
}
