import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";

import { EngineError } from "../engine-error.ts";

/** A C function. */
export interface ForeignFunction {
  (...args: any[]): any;
  /** Calls the function in another thread; the last argument is a callback for its error and result. */
  async(...args: any[]): void;
}

/** A shared library whose functions are called by their C prototypes. */
export interface ForeignLibrary {
  func(prototype: string): ForeignFunction;
  func(name: string, result: string, args: readonly string[]): ForeignFunction;
}

/** The part of koffi that convkit uses. */
export interface ForeignFunctions {
  /** Opens a library; `null` is the process itself. */
  load(path: string | null): ForeignLibrary;
  struct(name: string, fields: Readonly<Record<string, string>>): object;
  /** A type whose value is freed by `free` once it was turned into JavaScript's. */
  disposable(name: string, type: string, free: (value: never) => void): object;
  /** Names the type of a C function, by its prototype: once a process. */
  proto(prototype: string): object;
  /** The C function at an address, by the name of its type. */
  decode(address: bigint, type: string): ForeignFunction;
  /** Native memory without a copy; valid until it is freed. */
  view(address: bigint, length: number): ArrayBuffer;
}

let loaded: ForeignFunctions | undefined;

/**
 * koffi, which calls C functions. Only its binary for this platform is a dependency: koffi's own package has an install
 * script, which runs or is refused at every install of convkit and does nothing where the binary is there.
 */
export function foreignFunctions(): ForeignFunctions {
  const name = `@koromix/koffi-${process.platform}-${process.arch}`;
  try {
    loaded ??= createRequire(import.meta.url)(name) as ForeignFunctions;
    return loaded;
  } catch (error) {
    throw new EngineError(
      `TensorFlow's engines need ${name}, which is not installed or does not load: install without "--no-optional" (or "omit=optional"), or use the wasm engine.`,
      { cause: error },
    );
  }
}

const copy = randomUUID().replaceAll("-", "");

/**
 * A prototype or name in which the names of types are those of this copy of the module. koffi takes each name once a process, but a
 * process may load convkit twice: in two versions, or by a test runner that starts modules afresh for each file.
 */
export function withOwnTypes(prototype: string, types: RegExp): string {
  return prototype.replaceAll(types, (name) => `${name}_${copy}`);
}

/** The functions of the C library. */
export function libc(): ForeignLibrary {
  return foreignFunctions().load(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6");
}
