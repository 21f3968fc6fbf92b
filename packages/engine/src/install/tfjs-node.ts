import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

import type { InstallableEngine } from "./installed.ts";

/** The npm package whose addon an engine needs. */
export const packageNames = { native: "@tensorflow/tfjs-node", gpu: "@tensorflow/tfjs-node-gpu" } as const;

/** A copy of tfjs-node. */
export interface TfjsNode {
  folder: string;
  version: string;
  /** The Node-API version that the addon is built for. */
  napi: number;
  /** The path at which tfjs-node looks for its addon. */
  addon: string;
}

/**
 * The tfjs-node that a program here would import: as seen from this package, else from the working directory; only one
 * that shares this package's tfjs-core, since two copies of tfjs-core are two engines.
 */
export function findTfjsNode(engine: InstallableEngine, from: string = process.cwd()): TfjsNode | undefined {
  const core = resolve("@tensorflow/tfjs-core", createRequire(import.meta.url));
  for (const require of [createRequire(import.meta.url), createRequire(path.join(from, "package.json"))]) {
    const manifest = resolve(`${packageNames[engine]}/package.json`, require);
    if (manifest === undefined) continue;
    const union = resolve("@tensorflow/tfjs", createRequire(manifest));
    if (union && resolve("@tensorflow/tfjs-core", createRequire(union)) === core)
      return describeTfjsNode(path.dirname(manifest));
  }
  return undefined;
}

/** Version, Node-API version and addon path of the tfjs-node in a folder. */
export function describeTfjsNode(folder: string): TfjsNode {
  const { version, binary } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
    version: string;
    binary: { napi_versions: number[] };
  };
  const napi = Math.max(...binary.napi_versions.filter((napi) => napi <= Number(process.versions.napi)));
  return { folder, version, napi, addon: path.join(folder, "lib", `napi-v${napi}`, "tfjs_binding.node") };
}

/** True if this tfjs-node has an addon and a TensorFlow that convkit did not install: it is used unchanged. */
export function hasOwnAddon(tfjsNode: TfjsNode): boolean {
  if (!existsSync(tfjsNode.addon) || isOurs(readFileSync(tfjsNode.addon))) return false;
  return ownLibraries(tfjsNode).some((name) => /^(libtensorflow\.(so\.2|2\.dylib)|tensorflow\.dll)$/.test(name));
}

/** The TensorFlow version that tfjs-node's own install downloaded, read from the file names. */
export function ownTensorflow(tfjsNode: TfjsNode): string {
  const versions = ownLibraries(tfjsNode).map((name) => /\d+\.\d+\.\d+/.exec(name)?.[0]);
  return versions.find((version) => version !== undefined) ?? "2";
}

function ownLibraries({ folder }: TfjsNode): string[] {
  const libraries = path.join(folder, "deps", "lib");
  return existsSync(libraries) ? readdirSync(libraries) : [];
}

/** True for an addon of ours: it contains the path of the engine that it was compiled for. */
function isOurs(addon: Buffer): boolean {
  return addon.includes(`${path.sep}engine-native-`) || addon.includes(`${path.sep}engine-gpu-`);
}

function resolve(name: string, require: NodeJS.Require): string | undefined {
  try {
    return realpathSync(require.resolve(name));
  } catch {
    return undefined;
  }
}
