import { existsSync, readFileSync, realpathSync } from "node:fs";

/** The TensorFlow that this process has loaded. */
export interface TensorflowLibrary {
  version: string;
  /** The file of the C++ runtime with the whole C API. */
  cc: string;
  framework: string;
}

let loaded: TensorflowLibrary | undefined;

/**
 * The libraries of the loaded TensorFlow engine, for callers of its C API; undefined before a TensorFlow engine is in
 * use.
 */
export function tensorflowLibrary(): TensorflowLibrary | undefined {
  return loaded;
}

/** Stores the paths of the loaded libraries: from the process' memory map if there is one, else from the install. */
export function noteTensorflowLibrary(version: string, expected: { cc: string; framework: string } | undefined): void {
  const mapped = mappedLibraries();
  const cc = mapped.find((file) => /libtensorflow(_cc)?\.so/.test(file)) ?? expected?.cc;
  const framework = mapped.find((file) => file.includes("libtensorflow_framework.")) ?? expected?.framework;
  loaded = cc && framework ? { version, cc, framework } : undefined;
}

/** True if any thread of this process has loaded TensorFlow. */
export function isTensorflowMapped(): boolean {
  return mappedLibraries().length > 0;
}

function mappedLibraries(): string[] {
  if (!existsSync("/proc/self/maps")) return [];
  const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
  const files = lines.map((line) => line.slice(line.indexOf("/"))).filter((file) => file.includes("libtensorflow"));
  return [...new Set(files)].filter((file) => existsSync(file)).map((file) => realpathSync(file));
}
