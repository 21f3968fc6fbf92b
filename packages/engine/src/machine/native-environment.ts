import process from "node:process";
import { isMainThread } from "node:worker_threads";

import { libc } from "./foreign-functions.ts";

/**
 * Sets an environment variable so that native code sees it. In a worker thread `process.env` is a copy that C's
 * `getenv` does not read.
 */
export function setNativeVariable(name: string, value: string): void {
  process.env[name] = value;
  if (isMainThread || process.platform === "win32") return;
  (
    libc().func("int setenv(const char*, const char*, int)") as (
      name: string,
      value: string,
      overwrite: number,
    ) => number
  )(name, value, 1);
}

/** The value that native code sees; undefined if the variable is not set. */
export function nativeVariable(name: string): string | undefined {
  if (isMainThread || process.platform === "win32") return process.env[name];
  const value = (libc().func("const char* getenv(const char*)") as (name: string) => string | null)(name);
  return value ?? undefined;
}
