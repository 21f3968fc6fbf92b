import { utf8Bytes } from "../bytes/encoding.ts";
import type { ByteSink } from "@convkit/files";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import type { ZipEntry } from "../bytes/zip-reader.ts";
import { writeZip } from "../bytes/zip-writer.ts";
import { WeightsError } from "../weights-error.ts";
import { readNpy, writeNpy } from "./npy.ts";

/** The arrays of a NumPy archive: one .npy file each, whose name is the array's. */
export function readNpz(entries: ReadonlyMap<string, ZipEntry>): NamedTensor[] {
  return [...entries.values()].map((entry) => readNpy(entry.open(), entry.name.slice(0, -".npy".length)));
}

/** Writes arrays as `numpy.savez` does. */
export function writeNpz(sink: ByteSink, tensors: readonly NamedTensor[]): void {
  for (const { name } of tensors) {
    const leaves = name === "" || name.startsWith("/") || name.includes("\\") || name.split("/").includes("..");
    if (leaves || utf8Bytes(name).byteLength > nameLimit)
      throw new WeightsError(name.slice(0, 100), "", "is no name of a file in an archive: write .safetensors");
  }
  writeZip(
    sink,
    tensors.map((tensor) => ({ name: `${tensor.name}.npy`, fill: (entry) => writeNpy(entry, tensor) })),
  );
}

const nameLimit = 60_000;
