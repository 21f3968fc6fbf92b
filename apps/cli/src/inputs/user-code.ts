import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { LoadModelOptions } from "@convkit/weights";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "./user-path.ts";

/** Layer classes and functions of the user's, for `loadModel`. */
export type UserCode = Pick<LoadModelOptions, "layers" | "functions">;
type Exports = Readonly<Record<string, unknown>>;

let given: UserCode = {};

/** What the module of `--layers` exports; empty without the option. */
export function userCode(): UserCode {
  return given;
}

/**
 * Imports the module of `--layers`: classes with a `className` are layers, other functions are activations and operators
 * by the names of their exports. The classes are registered with tfjs, so that run directories find them, too.
 */
export async function useUserCode(name: string): Promise<void> {
  const path = userPath(name);
  if (!existsSync(path)) throw new UsageError(`--layers: there is no module ${name}.`);
  const exports = await imported(name, path);
  const functions = Object.entries(exports).filter(([, value]) => typeof value === "function");
  const layers = functions.flatMap(([, value]) => (isLayerClass(value) ? [value] : []));
  if (functions.length === 0)
    throw new UsageError(`--layers: expected layer classes or functions as exports of ${name}, got none.`);
  const { serialization } = await import("@tensorflow/tfjs-core");
  for (const layer of layers) serialization.registerClass(layer as never);
  const others = functions.filter(([, value]) => !isLayerClass(value));
  given = { layers, functions: Object.fromEntries(others) as NonNullable<UserCode["functions"]> };
}

function isLayerClass(value: unknown): value is NonNullable<UserCode["layers"]>[number] {
  return typeof value === "function" && typeof (value as { className?: unknown }).className === "string";
}

async function imported(name: string, path: string): Promise<Exports> {
  try {
    return (await import(pathToFileURL(path).href)) as Exports;
  } catch (error) {
    throw new UsageError(`--layers: ${name} cannot be imported: ${(error as Error).message}`, { cause: error });
  }
}
