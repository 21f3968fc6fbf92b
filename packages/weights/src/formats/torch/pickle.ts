import type { ByteCursor } from "../../bytes/byte-cursor.ts";
import { WeightsError } from "../../weights-error.ts";

/** A class or function that a pickle names. The reader never resolves it to code. */
export class PickleGlobal {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** What a pickle makes of a class that is not known: the arguments and attributes are kept, nothing is run. */
export class PickleObject {
  readonly path: string;
  readonly args: readonly PickleValue[];
  /** The attributes, mostly a dict. */
  state: PickleValue = null;
  /** Entries, if the class is a kind of dict. */
  readonly entries = new Map<PickleValue, PickleValue>();
  /** Items, if the class is a kind of list. */
  readonly items: PickleValue[] = [];

  constructor(path: string, args: readonly PickleValue[] = []) {
    this.path = path;
    this.args = args;
  }

  /** Takes the attributes that the pickle sets. */
  build(state: PickleValue): void {
    this.state = state;
  }
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleGlobal
  | PickleObject
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | object;

export interface PickleWorld {
  /** Returns what a call of this class or function stands for; `PickleObject` if the class is not known. */
  call(path: string, args: readonly PickleValue[]): PickleValue;
  /** Returns the value of a persistent id. */
  persistent(id: PickleValue): PickleValue;
}

/** Limits on the time and memory of a hostile pickle. A state dict's pickle has about 100 KB and 40 000 steps. */
const sizeLimit = 1 << 26;
const stepLimit = 500_000;
const valueLimit = 1 << 28;

/**
 * Reads one pickle (protocols 2 to 5) at the cursor and moves the cursor past it. Builds only plain values: calls
 * go to `world`, which never runs anything. Opcodes: CPython's Lib/pickletools.py.
 */
export function readPickle(cursor: ByteCursor, world: PickleWorld): PickleValue {
  const start = cursor.position;
  const stack: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let inline = 0;
  const fail = (problem: string): never => {
    throw new WeightsError(cursor.source.file, `pickle, byte ${cursor.position}`, problem);
  };
  const pop = (): PickleValue => {
    if (stack.length <= (marks.at(-1) ?? 0)) fail("the pickle takes more from its stack than is there");
    return stack.pop() as PickleValue;
  };
  const top = (): PickleValue => {
    if (stack.length <= (marks.at(-1) ?? 0)) fail("the pickle looks at an empty stack");
    return stack.at(-1) as PickleValue;
  };
  const popMark = (): PickleValue[] => stack.splice(marks.pop() ?? fail("the pickle has no mark"));
  /** Arrays of NumPy lie within the pickle, as bytes or as text: they may be as long as the file. */
  const length = (size: number): number =>
    size < 0 || (inline += size) > cursor.source.size || size > valueLimit
      ? fail(`a value of ${size} bytes is too long`)
      : size;
  const longLength = (size: number): number => (size < 0 || size > 1024 ? fail(`a number of ${size} bytes`) : size);
  const pushText = (size: number): void => void stack.push(cursor.text(length(size)));
  const putItems = (target: PickleValue, items: readonly PickleValue[]): void => {
    const dict = target instanceof PickleObject ? target.entries : target;
    if (!(dict instanceof Map) || items.length % 2 !== 0) fail("the pickle sets items of something that is no dict");
    else for (let i = 0; i < items.length; i += 2) dict.set(items[i] as PickleValue, items[i + 1] as PickleValue);
  };
  const append = (target: PickleValue, items: readonly PickleValue[]): void => {
    const list = target instanceof PickleObject ? target.items : target;
    if (!Array.isArray(list)) fail("the pickle appends to something that is no list");
    else for (const item of items) list.push(item);
  };
  const recall = (index: number): void =>
    void stack.push(memo.has(index) ? (memo.get(index) as PickleValue) : fail(`nothing is kept at ${index}`));
  const global = (module: PickleValue, name: PickleValue): void => {
    if (typeof module !== "string" || typeof name !== "string")
      return fail("wants to import something that has no name");
    stack.push(new PickleGlobal(`${module}.${name}`));
  };
  const call = (target: PickleValue, args: PickleValue): void => {
    const isCallable = target instanceof PickleGlobal || target instanceof PickleObject;
    if (!isCallable || !Array.isArray(args)) fail("calls something that is no class");
    // What a call returns is as unknown as its class.
    else
      stack.push(target instanceof PickleGlobal ? world.call(target.path, args) : new PickleObject(target.path, args));
  };

  const steps: Readonly<Record<number, () => void>> = {
    0x80: () => {
      const protocol = cursor.u8();
      if (protocol < 2 || protocol > 5) fail(`pickle protocol ${protocol} is not known (2 to 5)`);
    },
    0x95: () => void cursor.u64(), // FRAME: its length adds nothing
    0x28: () => void marks.push(stack.length), // MARK
    0x30: () => void pop(), // POP
    0x31: () => void popMark(), // POP_MARK
    0x32: () => void stack.push(top()), // DUP
    0x4e: () => void stack.push(null), // NONE
    0x88: () => void stack.push(true),
    0x89: () => void stack.push(false),
    0x4a: () => void stack.push(cursor.i32()), // BININT
    0x4b: () => void stack.push(cursor.u8()), // BININT1
    0x4d: () => void stack.push(cursor.u16()), // BININT2
    0x8a: () => void stack.push(signedNumber(cursor.bytes(cursor.u8()))), // LONG1
    0x8b: () => void stack.push(signedNumber(cursor.bytes(longLength(cursor.i32())))), // LONG4
    0x47: () => void stack.push(cursor.f64be()), // BINFLOAT
    0x58: () => pushText(cursor.u32()), // BINUNICODE
    0x8c: () => pushText(cursor.u8()), // SHORT_BINUNICODE
    0x8d: () => pushText(cursor.u64()), // BINUNICODE8
    0x54: () => pushText(cursor.i32()), // BINSTRING
    0x55: () => pushText(cursor.u8()), // SHORT_BINSTRING
    0x43: () => void stack.push(cursor.bytes(cursor.u8())), // SHORT_BINBYTES
    0x42: () => void stack.push(cursor.bytes(length(cursor.u32()))), // BINBYTES
    0x8e: () => void stack.push(cursor.bytes(length(cursor.u64()))), // BINBYTES8
    0x96: () => void stack.push(cursor.bytes(length(cursor.u64()))), // BYTEARRAY8
    0x7d: () => void stack.push(new Map()), // EMPTY_DICT
    0x5d: () => void stack.push([]), // EMPTY_LIST
    0x29: () => void stack.push([]), // EMPTY_TUPLE
    0x8f: () => void stack.push([]), // EMPTY_SET
    0x90: () => {
      const items = popMark(); // ADDITEMS
      append(top(), items);
    },
    0x74: () => void stack.push(popMark()), // TUPLE
    0x6c: () => void stack.push(popMark()), // LIST
    0x64: () => {
      const items = popMark(); // DICT
      const target = new Map<PickleValue, PickleValue>();
      putItems(target, items);
      stack.push(target);
    },
    0x85: () => void stack.push([pop()]), // TUPLE1
    0x86: () => {
      const last = pop(); // TUPLE2
      stack.push([pop(), last]);
    },
    0x87: () => {
      const last = pop(); // TUPLE3
      const middle = pop();
      stack.push([pop(), middle, last]);
    },
    0x61: () => {
      const item = pop(); // APPEND
      append(top(), [item]);
    },
    0x65: () => {
      const items = popMark(); // APPENDS
      append(top(), items);
    },
    0x73: () => {
      const value = pop(); // SETITEM
      const key = pop();
      putItems(top(), [key, value]);
    },
    0x75: () => {
      const items = popMark(); // SETITEMS
      putItems(top(), items);
    },
    0x71: () => void memo.set(cursor.u8(), top()), // BINPUT
    0x72: () => void memo.set(cursor.u32(), top()), // LONG_BINPUT
    0x94: () => void memo.set(memo.size, top()), // MEMOIZE
    0x68: () => recall(cursor.u8()), // BINGET
    0x6a: () => recall(cursor.u32()), // LONG_BINGET
    0x63: () => {
      const module = cursor.line(); // GLOBAL
      global(module, cursor.line());
    },
    0x93: () => {
      const name = pop(); // STACK_GLOBAL
      global(pop(), name);
    },
    0x52: () => {
      const args = pop(); // REDUCE
      call(pop(), args);
    },
    0x81: () => {
      const args = pop(); // NEWOBJ
      call(pop(), args);
    },
    0x92: () => {
      pop(); // NEWOBJ_EX
      const args = pop();
      call(pop(), args);
    },
    0x91: () => void stack.push(popMark()), // FROZENSET
    0x62: () => {
      const state = pop(); // BUILD: the attributes of a dict (such as a state dict's _metadata) are dropped
      const target = top();
      if (target instanceof PickleObject) target.build(state);
    },
    0x51: () => void stack.push(world.persistent(pop())), // BINPERSID
  };

  for (let count = 0; ; count++) {
    if (cursor.position - start - inline > sizeLimit || count > stepLimit)
      fail(`the pickle is longer than ${sizeLimit} bytes or ${stepLimit} steps`);
    const opcode = cursor.u8();
    if (opcode === 0x2e) return pop(); // STOP
    const step = steps[opcode];
    if (step === undefined)
      return fail(`opcode 0x${opcode.toString(16)} is not allowed here: protocols 2 to 5 of pickle are read`);
    step();
  }
}

/** A two's-complement little-endian number, as a bigint if it is long. */
function signedNumber(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const [index, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * index);
  const signed = bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}
