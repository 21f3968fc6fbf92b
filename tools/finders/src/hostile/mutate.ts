import type { Draw } from "../draw.ts";

/** Damaged or hostile bytes made of valid ones: flipped bits, cut, repeated and overwritten parts, fields of the largest number. */
export function mutant(bytes: Buffer, draw: Draw): Buffer {
  if (bytes.length === 0) return Buffer.from([draw.int(0, 255)]);
  const change = draw.of(...changes);
  return change(Buffer.from(bytes), draw);
}

/** The same, for text: characters and words instead of bytes. JSON is mostly changed part by part, so that it stays JSON. */
export function textMutant(text: string, draw: Draw): Buffer {
  if (draw.unit() < 0.3) return mutant(Buffer.from(text), draw);
  try {
    return Buffer.from(JSON.stringify(jsonMutant(JSON.parse(text), draw)));
  } catch {
    return Buffer.from(lineMutant(text, draw));
  }
}

type Change = (bytes: Buffer, draw: Draw) => Buffer;

const changes: readonly Change[] = [
  function flipBits(bytes, draw) {
    for (let left = draw.of(1, 1, 2, 4); left > 0; left--) bytes[at(bytes, draw)]! ^= 1 << draw.int(0, 7);
    return bytes;
  },
  function setBytes(bytes, draw) {
    const start = at(bytes, draw);
    return bytes.fill(draw.of(0, 1, 0x7f, 0x80, 0xff), start, Math.min(bytes.length, start + draw.of(1, 2, 4, 8, 64)));
  },
  function cut(bytes, draw) {
    return bytes.subarray(0, at(bytes, draw));
  },
  function leaveOut(bytes, draw) {
    const start = at(bytes, draw);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + draw.of(1, 2, 4, 16, 256))]);
  },
  function repeat(bytes, draw) {
    const [start, other] = [at(bytes, draw), at(bytes, draw)];
    const part = bytes.subarray(other, other + draw.of(1, 4, 16, 256));
    return Buffer.concat([bytes.subarray(0, start), part, bytes.subarray(start)]);
  },
  function swap(bytes, draw) {
    const [start, other] = [at(bytes, draw), at(bytes, draw)];
    Buffer.from(bytes.subarray(other, other + draw.of(1, 4, 16, 64))).copy(bytes, start);
    return bytes;
  },
  /** Length fields stand mostly in the first bytes, but not only there. */
  function lie(bytes, draw) {
    const size = draw.of(1, 2, 4, 8);
    if (bytes.length < size) return bytes;
    const start = draw.int(0, (draw.flip() ? Math.min(bytes.length, 64 + size) : bytes.length) - size);
    const value = draw.of(0n, 1n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn);
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(value);
    const isLittle = draw.flip();
    for (let place = 0; place < size; place++) bytes[start + place] = field[isLittle ? place : size - 1 - place]!;
    return bytes;
  },
];

function at(bytes: Buffer, draw: Draw): number {
  return draw.int(0, bytes.length - 1);
}

/** Values that stand where others are expected. Two are made anew each time: JSON as deep and as long as a small file can make it. */
const junk: readonly ((draw: Draw) => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 0.5,
  () => 1e9,
  () => 2 ** 53,
  () => 1e308,
  () => "",
  () => "junk",
  () => "__proto__",
  () => "constructor",
  () => "../../secret",
  () => "\u001b[2J\u0000\u009b31m",
  () => "x".repeat(100_000),
  () => [],
  () => [[]],
  () => ({}),
  () => [null, 1e9, 1e9, 3],
  () => Array.from({ length: 10_000 }, (_, i) => i),
  () => deep(5_000),
  (draw) => draw.int(-10, 1_000),
];

function deep(levels: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

/** Changes one part of a JSON value: another value, another key, no key, or a part of elsewhere. */
function jsonMutant(value: unknown, draw: Draw): unknown {
  const places: (readonly (string | number)[])[] = [[]];
  const walk = (part: unknown, path: readonly (string | number)[]): void => {
    if (typeof part !== "object" || part === null) return;
    for (const key of Object.keys(part)) {
      places.push([...path, key]);
      walk((part as Record<string, unknown>)[key], [...path, key]);
    }
  };
  walk(value, []);
  const root = { value };
  const path = ["value", ...draw.of(...places)];
  const key = path.pop()!;
  const parent = path.reduce<Record<string | number, unknown>>((object, step) => object[step] as never, root);
  switch (draw.int(0, 9)) {
    case 0:
      delete parent[key];
      break;
    case 1:
      parent[`${key}x`] = parent[key];
      delete parent[key];
      break;
    case 2: {
      const other = draw.of(...places);
      parent[key] = other.reduce<unknown>((object, step) => (object as never)?.[step], value);
      break;
    }
    default: {
      const old = parent[key];
      parent[key] =
        typeof old === "number" && draw.flip() ? draw.of(-old, old * 1e6, old + 1, old / 3) : draw.of(...junk)(draw);
    }
  }
  // The value may now hold itself; JSON.stringify then throws, and the caller changes the text instead.
  return root.value;
}

function lineMutant(text: string, draw: Draw): string {
  const lines = text.split("\n");
  const line = draw.int(0, lines.length - 1);
  const cells = lines[line]!.split(",");
  cells[draw.int(0, cells.length - 1)] = String(
    draw.of("", "x", "-1", "1e999", "0x10", "NaN", '"', "a,b", "\u0000", "é"),
  );
  return lines.with(line, cells.join(",")).join("\n");
}
