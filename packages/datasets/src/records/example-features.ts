/** A feature of a `tf.train.Example`. Byte strings are given by their places in the message. */
export interface Feature {
  readonly kind: "bytes" | "floats" | "integers";
  /** Start and end of each byte string. */
  readonly spans: readonly (readonly [start: number, end: number])[];
  readonly integers: readonly bigint[];
  readonly floats: readonly number[];
}

const [varint, fixed64, delimited, fixed32] = [0, 1, 2, 5];
const kinds = { 1: "bytes", 2: "floats", 3: "integers" } as const;

/** Reads the features of a serialized `tf.train.Example`. Throws an Error for bytes that are no such message. */
export function exampleFeatures(message: Buffer): Map<string, Feature> {
  const features = new Map<string, Feature>();
  for (const [outer, from, to] of submessages(message, 0, message.length))
    if (outer === 1)
      for (const [entry, start, end] of submessages(message, from, to)) {
        if (entry !== 1) continue;
        let name = "";
        let value: Feature = { kind: "bytes", spans: [], integers: [], floats: [] };
        for (const [field, at, until] of submessages(message, start, end)) {
          if (field === 1) name = message.toString("utf8", at, until);
          if (field === 2) value = featureAt(message, at, until);
        }
        features.set(name, value);
      }
  return features;
}

function featureAt(message: Buffer, from: number, to: number): Feature {
  let feature: Feature = { kind: "bytes", spans: [], integers: [], floats: [] };
  for (const [field, start, end] of submessages(message, from, to)) {
    const kind = kinds[field as 1 | 2 | 3];
    if (kind === undefined) continue;
    feature = {
      kind,
      spans: kind === "bytes" ? submessages(message, start, end).map(([, at, until]) => [at, until]) : [],
      integers: kind === "integers" ? integersAt(message, start, end) : [],
      floats: kind === "floats" ? floatsAt(message, start, end) : [],
    };
  }
  return feature;
}

/** The numbers of an `Int64List`, packed or one by one. */
function integersAt(message: Buffer, from: number, to: number): bigint[] {
  const integers: bigint[] = [];
  for (let at = from; at < to;) {
    const [tag, next] = varintAt(message, at, to);
    const [value, behind] = varintAt(message, next, to);
    if (tag === 8n) {
      integers.push(BigInt.asIntN(64, value));
      at = behind;
      continue;
    }
    const end = behind + Number(value);
    if (tag !== 10n || end > to) throw new Error(`byte ${at} is no list of integers`);
    for (at = behind; at < end;) {
      const [each, following] = varintAt(message, at, end);
      integers.push(BigInt.asIntN(64, each));
      at = following;
    }
  }
  return integers;
}

/** The numbers of a `FloatList`, packed or one by one. */
function floatsAt(message: Buffer, from: number, to: number): number[] {
  const floats: number[] = [];
  for (let at = from; at < to;) {
    const [tag, next] = varintAt(message, at, to);
    const [length, start] = tag === 10n ? varintAt(message, next, to) : [4n, next];
    const end = start + Number(length);
    if ((tag !== 10n && tag !== 13n) || end > to || (end - start) % 4 !== 0)
      throw new Error(`byte ${at} is no list of floats`);
    for (let place = start; place < end; place += 4) floats.push(message.readFloatLE(place));
    at = end;
  }
  return floats;
}

/** The numbers of fields that are messages or strings, with start and end; other fields are skipped. */
function submessages(message: Buffer, from: number, to: number): [field: number, start: number, end: number][] {
  const found: [number, number, number][] = [];
  for (let at = from; at < to;) {
    const [tag, next] = varintAt(message, at, to);
    const wire = Number(tag & 7n);
    let end = next;
    if (wire === delimited) {
      const [length, start] = varintAt(message, next, to);
      end = start + Number(length);
      if (end <= to) found.push([Number(tag >> 3n), start, end]);
    } else if (wire === varint) end = varintAt(message, next, to)[1];
    else if (wire === fixed64 || wire === fixed32) end = next + (wire === fixed64 ? 8 : 4);
    else throw new Error(`byte ${at} is no field of a message`);
    if (end > to) throw new Error(`the field at byte ${at} is longer than its message`);
    at = end;
  }
  return found;
}

function varintAt(message: Buffer, from: number, to: number): [value: bigint, next: number] {
  let value = 0n;
  for (let at = from; at < to && at < from + 10; at++) {
    value |= BigInt(message[at]! & 127) << BigInt(7 * (at - from));
    if (message[at]! < 128) return [value, at + 1];
  }
  throw new Error(`byte ${from} is no whole number`);
}
