import { basename } from "@convkit/files/system";
import type { ByteSource } from "../bytes/byte-source.ts";
import { isObject, readJson } from "../bytes/json.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { WeightsError } from "../weights-error.ts";
import type { WeightsFile } from "./weights-file.ts";

/**
 * Opens weights that other libraries split into several files beside an index, such as `model.safetensors.index.json`
 * or `pytorch_model.bin.index.json`: a JSON object whose `weight_map` states the file of each tensor.
 */
export async function openShards(
  source: ByteSource,
  open: (source: ByteSource) => Promise<WeightsFile>,
): Promise<WeightsFile> {
  const index = readJson(source);
  const map = isObject(index) && isObject(index["weight_map"]) ? Object.entries(index["weight_map"]) : [];
  const files = [...new Set(map.map(([, file]) => file))];
  const isPlain = (file: unknown): file is string => typeof file === "string" && file !== "" && basename(file) === file;
  if (files.length === 0 || !files.every(isPlain))
    throw new WeightsError(source.file, "weight_map", "expected the names of files beside the index");
  const { folder } = source;
  if (folder === undefined) throw new WeightsError(source.file, "weight_map", "expected the files that it names");
  folder.expect?.(files);
  const parts: WeightsFile[] = [];
  const close = (): void => {
    source.close();
    for (const part of parts) part.close();
  };
  try {
    for (const file of files) parts.push(await open(folder.open(file)));
    const found = new Map(parts.map(({ tensors }, i) => [files[i]!, new Map(tensors.map((own) => [own.name, own]))]));
    const tensors = map.map(([name, file]): NamedTensor => {
      const tensor = found.get(file as string)!.get(name);
      if (tensor === undefined)
        throw new WeightsError(source.file, "weight_map", `"${name}" is not in ${String(file)}`);
      return tensor;
    });
    const notes = parts.flatMap((part) => part.notes);
    return { path: source.file, format: parts[0]!.format, tensors, metadata: {}, unread: new Map(), notes, close };
  } catch (error) {
    for (const part of parts) part.close();
    throw error;
  }
}
