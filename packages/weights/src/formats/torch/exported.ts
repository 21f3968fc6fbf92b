import { isObject, readJson } from "../../bytes/json.ts";
import { checkedCount, dtypeBytes } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../../bytes/named-tensor.ts";
import type { ZipEntry } from "../../bytes/zip-reader.ts";
import { WeightsError } from "../../weights-error.ts";
import { namedTensor, Storage, StridedTensor } from "./stored-tensor.ts";

/** The list of weights in an archive that `torch.export.save` wrote. */
const list = /(^|\/)data\/weights\/model_weights_config\.json$/;

/** Types by their number in torch.export's schema (torch/_export/serde/schema.py, ScalarType). */
const types: Readonly<Record<number, StoredType>> = {
  1: "uint8",
  2: "int8",
  3: "int16",
  4: "int32",
  5: "int64",
  6: "float16",
  7: "float32",
  8: "float64",
  10: "complex64",
  11: "complex128",
  12: "bool",
  13: "bfloat16",
};

/** The weights of an exported program (`.pt2`); undefined if the archive is none. */
export function readExported(
  file: string,
  entries: ReadonlyMap<string, ZipEntry>,
  bigEndian: boolean,
): { tensors: NamedTensor[]; unread: Map<string, string> } | undefined {
  const listName = [...entries.keys()].find((name) => list.test(name));
  const listed = listName === undefined ? undefined : entries.get(listName);
  if (listName === undefined || listed === undefined) return undefined;
  const folder = listName.slice(0, listName.lastIndexOf("/") + 1);
  const { config } = readJson(listed.open());
  if (!isObject(config)) throw new WeightsError(file, listName, "expected an object config");
  const unread = new Map<string, string>();
  const tensors = Object.entries(config).flatMap(([name, weight]) => {
    const { path_name: path, use_pickle: isPickled, tensor_meta: meta } = isObject(weight) ? weight : {};
    const { dtype, sizes, strides, storage_offset: offset } = isObject(meta) ? meta : {};
    const type = typeof dtype === "number" ? types[dtype] : undefined;
    const entry = typeof path === "string" ? entries.get(`${folder}${path}`) : undefined;
    const [shape, steps, start] = [numbers(sizes), numbers(strides), numbers([offset])];
    if (isPickled === true || type === undefined) {
      unread.set(
        name,
        isPickled === true ? "is pickled by itself" : `has elements of torch.export's type ${String(dtype)}`,
      );
      return [];
    }
    if (entry === undefined || shape === undefined || steps?.length !== shape.length || start === undefined)
      throw new WeightsError(file, `weight "${name}"`, `expected its shape, its strides and its entry in ${folder}`);
    const inline = { bytes: entry.open(), bigEndian };
    const storage = new Storage(name, type, Math.floor(entry.size / dtypeBytes[type]), inline);
    return [namedTensor(file, name, new StridedTensor(storage, type, start[0]!, shape, steps), () => inline)];
  });
  return { tensors, unread };
}

/** Sizes that are known: `[{ as_int: 3 }]`. */
function numbers(values: unknown): number[] | undefined {
  const plain = Array.isArray(values) ? values.map((value) => (isObject(value) ? value["as_int"] : undefined)) : [];
  return Array.isArray(values) && checkedCount(plain) !== undefined ? (plain as number[]) : undefined;
}
