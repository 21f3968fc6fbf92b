import { shown } from "@convkit/errors";
import { DataError, reasonOf } from "../data-error.ts";
import { imageExtensions } from "../images/image-format.ts";
import { openReader } from "./byte-reader.ts";
import { cellOf, valueFields } from "./record-values.ts";
import type { ListedRecord, RecordFields, ShardFormat } from "./shard-format.ts";
import type { TarEntry } from "./tar-entries.ts";
import { tarSamples } from "./tar-samples.ts";

const endings = imageExtensions.map((ending) => ending.slice(1));
const labelEndings = ["cls", "json", "txt"];
/** The most bytes of a label. */
const mostLabel = 2 ** 20;

interface Part {
  readonly start: number;
  readonly size: number;
  /** The bytes of labels, and of images where they are asked for. */
  readonly bytes?: Buffer;
}

/** WebDataset's tar shards: a sample is the files of one name with several endings. */
export const tarFormat: ShardFormat = {
  name: "WebDataset tar",
  matches: /\.(?:tar|tar\.gz|tgz)$/i,
  async list(file, fields) {
    const { reader, isGzip } = await openReader(file);
    await reader.close();
    const valued = valueFields(fields);
    const wanted = valued.length === 0 ? labelEndingOf(fields) : undefined;
    const valueEndings = valued.map((field) => labelEndingOf({ label: field }));
    const take = async (entry: TarEntry, ending: string): Promise<Part> => {
      const isLabel =
        valued.length > 0
          ? valueEndings.includes(ending)
          : wanted === undefined
            ? labelEndings.includes(ending)
            : ending === wanted;
      if (isLabel && entry.size > mostLabel)
        throw new DataError(`${file}: ${entry.name} has ${entry.size} bytes, too many for a label`);
      return { start: entry.start, size: entry.size, ...(isLabel && { bytes: await entry.read() }) };
    };
    const records: ListedRecord[] = [];
    let labelField = fields.label;
    const classOf = (where: string, parts: ReadonlyMap<string, Part>) =>
      labelOf(where, parts, (labelField ??= guessLabel(parts)));
    for await (const { key, parts } of tarSamples(file, take)) {
      const ending = imageEndingOf(file, key, parts, fields);
      const { start, size } = parts.get(ending)!;
      const where = `${file}: ${key}`;
      const told =
        valued.length > 0 ? { label: 0, values: valuesOf(where, parts, valued) } : { label: classOf(where, parts) };
      const isJpeg = ["jpg", "jpeg", "jfif"].includes(ending);
      records.push({ key: `${key}.${ending}`, ...told, isJpeg, place: isGzip ? undefined : { start, length: size } });
    }
    return { records };
  },
  async *images(file, fields) {
    const isImage = (ending: string) =>
      fields.image === undefined ? endings.includes(ending) : ending === fields.image;
    const take = async (entry: TarEntry, ending: string): Promise<Part> => ({
      start: entry.start,
      size: entry.size,
      ...(isImage(ending) && { bytes: await entry.read() }),
    });
    for await (const { key, parts } of tarSamples(file, take))
      yield parts.get(imageEndingOf(file, key, parts, fields))!.bytes!;
  },
};

/** The ending of a sample's image: the field that was asked for, or the one image among its files. */
function imageEndingOf(file: string, key: string, parts: ReadonlyMap<string, Part>, { image }: RecordFields): string {
  const found =
    image === undefined ? endings.filter((each) => parts.has(each)) : [image].filter((each) => parts.has(each));
  const [ending] = found;
  if (found.length > 1)
    throw new DataError(`${file}: ${key} has several images (${found.join(", ")}); name one by columns.image`);
  if (ending !== undefined) return ending;
  throw new DataError(
    `${file}: expected an image of ${key} (${image ?? endings.slice(0, 4).join(", ")} …), found ${[...parts.keys()].join(", ")}`,
  );
}

/** `json.class` is in the file that ends in `json`. */
function labelEndingOf({ label }: Pick<RecordFields, "label">): string | undefined {
  return label?.startsWith("json.") === true ? "json" : label;
}

function guessLabel(parts: ReadonlyMap<string, Part>): string {
  if (parts.has("cls")) return "cls";
  const json = parts.get("json")?.bytes;
  const fields = json === undefined ? undefined : parsed(json);
  const name = ["label", "class", "cls"].find(
    (each) => typeof fields === "object" && fields !== null && each in fields,
  );
  if (name !== undefined) return `json.${name}`;
  return parts.has("txt") ? "txt" : "cls";
}

/** The values of fields such as `json.tags` or `txt`. */
function valuesOf(where: string, parts: ReadonlyMap<string, Part>, fields: readonly string[]): string[] {
  return fields.map((field) => cellOf(where, field, valueOf(where, parts, field)));
}

function labelOf(where: string, parts: ReadonlyMap<string, Part>, field: string): string | number {
  const value = valueOf(where, parts, field);
  if ((typeof value === "string" && value !== "") || typeof value === "number") return value;
  throw new DataError(`${where}: expected a class by name or number in ${field}, found ${shown(value)}`);
}

/** The text of a file, or a part of its JSON. */
function valueOf(where: string, parts: ReadonlyMap<string, Part>, field: string): unknown {
  const ending = labelEndingOf({ label: field })!;
  const bytes = parts.get(ending)?.bytes;
  if (bytes === undefined)
    throw new DataError(
      `${where} has no label: expected a file that ends in ${ending}, found ${[...parts.keys()].join(", ")}`,
    );
  return ending === "json" && field !== "json" ? fieldOf(where, bytes, field.slice(5)) : bytes.toString("utf8").trim();
}

/** The value at a path such as `annotation.class`. */
function fieldOf(where: string, bytes: Buffer, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new DataError(`${where}: its json cannot be read: ${reasonOf(error)}`);
  }
  for (const name of path.split(".")) value = isField(value, name) ? value[name] : undefined;
  return value;
}

/** Whether JSON has a field or element of that name; `constructor` and the `length` of a list are none. */
function isField(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.prototype.propertyIsEnumerable.call(value, name);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
