import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** ONNX Runtime as npm installed it. */
export interface InstalledOnnxruntime {
  readonly version: string;
  /** Its shared library; undefined where the package has none for this platform. */
  readonly library: string | undefined;
}

/** What `onnxruntime-node` has for this platform; undefined if it is not installed. */
export function findOnnxruntime(): InstalledOnnxruntime | undefined {
  const require = createRequire(import.meta.url);
  try {
    const file = require.resolve("onnxruntime-node/package.json");
    const { version } = require(file) as { version: string };
    return { version, library: findLibrary(path.join(path.dirname(file), "bin")) };
  } catch {
    return undefined;
  }
}

/** `bin/napi-v6/linux/x64/libonnxruntime.so.1`, or what it is called on this platform. */
function findLibrary(bin: string): string | undefined {
  for (const binding of namesIn(bin)) {
    const folder = path.join(bin, binding, process.platform, process.arch);
    const name = namesIn(folder).find((each) => /^(lib)?onnxruntime(\.\d+)*\.(so(\.\d+)*|dylib|dll)$/.test(each));
    if (name !== undefined) return path.join(folder, name);
  }
  return undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
