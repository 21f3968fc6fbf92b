import { latin1Text } from "../../bytes/encoding.ts";
import { ByteCursor } from "../../bytes/byte-cursor.ts";
import { windowOf } from "../../bytes/byte-source.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { readZip } from "../../bytes/zip-reader.ts";
import type { ZipEntry } from "../../bytes/zip-reader.ts";
import { torchWorld } from "./classes.ts";
import { composedTensor, isComposed } from "./composed-tensor.ts";
import type { ComposedTensor } from "./composed-tensor.ts";
import { readExported } from "./exported.ts";
import { readPickle } from "./pickle.ts";
import type { PickleValue } from "./pickle.ts";
import { plainNames } from "./quantized.ts";
import { findTensors, statePath } from "./states.ts";
import type { FoundTensor } from "./states.ts";
import { namedTensor, Storage, StridedTensor, UnreadTensor } from "./stored-tensor.ts";
import type { BytesOf } from "./stored-tensor.ts";

/** The tensors of a PyTorch file. */
export interface TorchFile {
  /** The tensors of the state dict, under its own names. */
  readonly tensors: NamedTensor[];
  /** The keys that lead to the state dict, joined with dots; `""` if the whole file is the state dict. */
  readonly state: string;
  /** Tensors outside the state dict, such as averaged weights, by the keys that lead to them. */
  readonly others: NamedTensor[];
  /** Tensors that cannot be read, by the keys that lead to them, and why. */
  readonly unread: ReadonlyMap<string, string>;
  readonly notes: string[];
  /** What a checkpoint says of its network beside the weights, such as timm's `arch`. */
  readonly metadata: Readonly<Record<string, string>>;
}

const legacyMagic = 0x1950a86a20f9469cfc6cn;

/**
 * Reads the tensors of a PyTorch file: the zip container (1.6 and later), the older one, TorchScript, exported
 * programs, and plain pickles. Never runs code: objects of unknown classes are looked through for tensors. Finds the state dict inside a
 * checkpoint with an optimizer and an epoch; `state` names another part of the checkpoint, such as "model_ema".
 */
export async function readTorchFile(source: ByteSource, state?: string): Promise<TorchFile> {
  const isZip = source.size >= 4 && latin1Text(source.read(0, 4)) === "PK\x03\x04";
  return isZip ? readZipContainer(source, readZip(source), state) : readOlder(source, state);
}

/** Reads a zip container whose directory is read already. */
export function readZipContainer(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  state?: string,
): TorchFile {
  const { file } = source;
  const orders = [...entries.values()].filter(({ name, size }) => /(^|\/)byteorder$/.test(name) && size < 16);
  const bigEndian = orders.some((entry) => new ByteCursor(entry.open()).text(entry.size).trim() === "big");
  const exported = readExported(file, entries, bigEndian);
  if (exported !== undefined) return { ...exported, state: "", others: [], notes: [], metadata: {} };
  // The one that lies least deep: archives that were packed again may have a folder around it.
  const [pickleName] = [...entries.keys()]
    .filter((name) => /(^|\/)data\.pkl$/.test(name) && !name.startsWith("__MACOSX/"))
    .toSorted((a, b) => a.split("/").length - b.split("/").length);
  const pickle = pickleName === undefined ? undefined : entries.get(pickleName);
  if (pickleName === undefined || pickle === undefined)
    throw new WeightsError(
      file,
      "",
      "expected an entry <name>/data.pkl: this zip archive was not written by torch.save",
    );
  const root = pickleName.slice(0, -"data.pkl".length);
  const world = torchWorld(file, nestedStorage);
  const value = readPickle(new ByteCursor(pickle.open()), world);
  const opened = new Map<string, ByteSource>();
  const bytesOf: BytesOf = ({ key }, place) => {
    const known = opened.get(key) ?? entries.get(`${root}data/${key}`)?.open();
    if (known === undefined) throw new WeightsError(file, place, `its storage ${root}data/${key} is missing`);
    opened.set(key, known);
    return { bytes: known, bigEndian };
  };
  const isFrozen = entries.has(`${root}constants.pkl`) && world.storages.size === 0;
  return chosenTensors(file, value, { bytesOf, state, unknown: world.unknown, isFrozen });
}

/** Reads the container before PyTorch 1.6, or a plain pickle of arrays. */
function readOlder(source: ByteSource, state: string | undefined): TorchFile {
  const cursor = new ByteCursor(source);
  const isPickle = source.size > 1 && source.read(0, 1)[0] === 0x80;
  const world = torchWorld(source.file, nestedStorage);
  const first = isPickle ? readPickle(cursor, world) : null;
  if (first === legacyMagic) {
    const { value, bytesOf, unknown } = readLegacyContainer(source, cursor);
    return chosenTensors(source.file, value, { bytesOf, state, unknown });
  }
  if (!isPickle)
    throw new WeightsError(
      source.file,
      "byte 0",
      "expected a PyTorch file: a zip archive, or a pickle with torch's magic number",
    );
  const bytesOf: BytesOf = ({ key }, place) => {
    throw new WeightsError(source.file, place, `its storage ${key} is missing`);
  };
  return chosenTensors(source.file, first, { bytesOf, state, unknown: world.unknown });
}

/**
 * Five pickles (magic, protocol, system, the object, the storages' keys), then each storage: its count in 8 bytes, its
 * elements. Reads from the second pickle on.
 */
function readLegacyContainer(
  source: ByteSource,
  cursor: ByteCursor,
): { value: PickleValue; bytesOf: BytesOf; unknown: ReadonlySet<string> } {
  const fail = (problem: string): never => {
    throw new WeightsError(source.file, `byte ${cursor.position}`, problem);
  };
  const world = torchWorld(source.file, nestedStorage);
  if (readPickle(cursor, world) !== 1001) fail("expected version 1001 of the container before PyTorch 1.6");
  const system = readPickle(cursor, world);
  const bigEndian = system instanceof Map && system.get("little_endian") === false;
  const value = readPickle(cursor, world);
  const keys = readPickle(cursor, world);
  if (!Array.isArray(keys)) return fail("expected the list of storages");
  const places = new Map<string, ByteSource>();
  for (const key of keys) {
    const storage = world.storages.get(String(key)) ?? fail("a storage belongs to no tensor");
    const count = cursor.u64();
    if (count !== storage.count)
      fail(`storage ${storage.key} has ${count} elements here, but ${storage.count} in the pickle`);
    places.set(storage.key, windowOf(source, cursor.position, storage.size, `storage ${storage.key}`));
    cursor.position += storage.size;
  }
  const bytesOf: BytesOf = ({ key }, place) => {
    const bytes = places.get(key);
    if (bytes === undefined) throw new WeightsError(source.file, place, `its storage ${key} is missing`);
    return { bytes, bigEndian };
  };
  return { value, bytesOf, unknown: world.unknown };
}

/** A storage in a container of its own, as plain `pickle` writes a tensor. */
function nestedStorage(source: ByteSource): Storage {
  const cursor = new ByteCursor(source);
  const fail = (): never => {
    throw new WeightsError(source.file, "pickle", "expected a storage in the container before PyTorch 1.6");
  };
  if (source.size < 2 || source.read(0, 1)[0] !== 0x80 || readPickle(cursor, torchWorld(source.file)) !== legacyMagic)
    return fail();
  const { value, bytesOf } = readLegacyContainer(source, cursor);
  if (!(value instanceof Storage)) return fail();
  return new Storage(value.key, value.dtype, value.count, bytesOf(value, "pickle"));
}

interface Reading {
  readonly bytesOf: BytesOf;
  readonly state: string | undefined;
  readonly unknown: ReadonlySet<string>;
  readonly isFrozen?: boolean;
}

/** The tensors of the wanted state, and the others. */
function chosenTensors(file: string, value: PickleValue, { bytesOf, state, unknown, isFrozen }: Reading): TorchFile {
  const { found, note } = plainNames(findTensors(file, value));
  if (found.length === 0) throw new WeightsError(file, "pickle", nothingFound(value, unknown, isFrozen === true));
  const start = state === undefined ? statePath(found) : wantedPath(file, found, state);
  const unread = new Map<string, string>();
  const others: NamedTensor[] = [];
  const tensors = new Map<string, NamedTensor>();
  for (const { path, value: tensor } of found) {
    const whole = path.join(".");
    const own = ownName(path, start);
    if (tensor instanceof UnreadTensor) unread.set(whole, tensor.problem);
    else if (own === undefined) {
      try {
        others.push(named(file, whole, tensor, bytesOf));
      } catch (error) {
        unread.set(whole, (error as Error).message);
      }
    } else if (tensors.has(own)) throw new WeightsError(file, `tensor "${own}"`, "is there twice");
    else tensors.set(own, named(file, own, tensor, bytesOf));
  }
  const chosen = typeof start === "string" ? start.replace(/\.$/, "") : start.join(".");
  return {
    tensors: [...tensors.values()],
    state: chosen,
    others,
    unread,
    notes: [...notesOf(chosen, others, unread, unknown), ...(note === undefined ? [] : [note]), ...denseNotes(found)],
    metadata: networkNames(value),
  };
}

/** The texts of a checkpoint that name its network: `{"arch": "resnet50", "epoch": 3, "state_dict": …}`. */
function networkNames(value: PickleValue): Record<string, string> {
  if (!(value instanceof Map)) return {};
  return Object.fromEntries(
    ["arch", "architecture", "model_name"].flatMap((key) => {
      const text = (value as ReadonlyMap<unknown, unknown>).get(key);
      return typeof text === "string" ? [[key, text]] : [];
    }),
  );
}

function named(file: string, name: string, tensor: StridedTensor | ComposedTensor, bytesOf: BytesOf): NamedTensor {
  return isComposed(tensor) ? composedTensor(file, name, tensor, bytesOf) : namedTensor(file, name, tensor, bytesOf);
}

function denseNotes(found: readonly FoundTensor[]): string[] {
  const sparse = found.filter(({ value }) => isComposed(value) && value.kind === "sparse");
  if (sparse.length === 0) return [];
  const names = sparse.slice(0, 3).map(({ path }) => `"${path.join(".")}"`);
  return [
    `makes dense tensors of the sparse ${names.join(", ")}${sparse.length > 3 ? ` and ${sparse.length - 3} more` : ""}`,
  ];
}

/** The name of a tensor in the state that begins at these keys, or with these letters; undefined outside of it. */
function ownName(path: readonly string[], start: readonly string[] | string): string | undefined {
  if (typeof start === "string") {
    const whole = path.join(".");
    return whole.startsWith(start) ? whole.slice(start.length) : undefined;
  }
  const inside = path.length > start.length && start.every((key, index) => path[index] === key);
  return inside ? path.slice(start.length).join(".") : undefined;
}

/** Where the state of this name begins: a key of the checkpoint, or what comes before the names of a state dict. */
function wantedPath(file: string, found: readonly FoundTensor[], state: string): string {
  const within = statePath(found)
    .map((key) => `${key}.`)
    .join("");
  const start = [`${state}.`, `${within}${state}.`].find((letters) =>
    found.some(({ path }) => path.join(".").startsWith(letters)),
  );
  if (start !== undefined) return start;
  const known = new Set(found.map(({ path }) => path.join(".").split(".")[0]!));
  const shown = [...known].slice(0, 20).map((name) => `"${name}"`);
  throw new WeightsError(file, "pickle", `holds no state "${state}": its names begin with ${shown.join(", ")}`);
}

function nothingFound(value: PickleValue, unknown: ReadonlySet<string>, isFrozen: boolean): string {
  if (isFrozen)
    return "a frozen TorchScript module has no names for its weights: save the module before torch.jit.freeze";
  const names = [...unknown].slice(0, 3).join(", ");
  const wanted = "expected a dict of tensors (torch.save(model.state_dict(), …))";
  if (value instanceof StridedTensor) return `${wanted}, got one tensor`;
  return names === "" ? wanted : `${wanted}; its pickle wants to import ${names}, which is never run`;
}

function notesOf(
  state: string,
  others: readonly NamedTensor[],
  unread: ReadonlyMap<string, string>,
  unknown: ReadonlySet<string>,
): string[] {
  const notes: string[] = [];
  if (others.length > 0) {
    const counts = new Map<string, number>();
    for (const { name } of others) counts.set(partName(name), (counts.get(partName(name)) ?? 0) + 1);
    const parts = [...counts].slice(0, 10).map(([part, count]) => `"${part}" (${count} tensors)`);
    notes.push(`takes the weights in "${state}" and leaves out ${parts.join(", ")}`);
  }
  for (const [name, problem] of [...unread].slice(0, 10)) notes.push(`leaves out "${name}", which ${problem}`);
  if (unknown.size > 0) {
    const names = [...unknown].slice(0, 5).join(", ");
    notes.push(`looks through objects of ${names}${unknown.size > 5 ? " …" : ""} without running their code`);
  }
  return notes;
}

function partName(name: string): string {
  return name.split(".", 1)[0]!;
}
