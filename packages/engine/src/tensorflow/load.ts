import { createRequire } from "node:module";
import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";

import { cacheRoot } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { isWholeLibrary } from "../install/library-damage.ts";
import { findInstalled, librariesOf, type InstallableEngine, type InstalledEngine } from "../install/installed.ts";
import { shimNodeUtil } from "./node-shim.ts";
import { cachedAddon, placeAddon } from "../install/place-addon.ts";
import { shareTfjs } from "./share-tfjs.ts";
import { registerTensorflowKernels } from "./kernels.ts";
import { isTensorflowMapped, noteTensorflowLibrary } from "./library.ts";
import { describeTfjsNode, findTfjsNode, hasOwnAddon, packageNames, type TfjsNode } from "../install/tfjs-node.ts";
import { findTfjsNodeCopy, tfjsNodeCopyRoot } from "../install/tfjs-node-copy.ts";
import { setTensorflowEnvironment, threadsOf } from "../machine/threads.ts";
import { withoutStderr } from "./without-stderr.ts";
import { tensorflowVersion } from "../install/wheels.ts";

/**
 * A tfjs-node that can be loaded, and the installed engine that its addon needs, unless the user installed the addon.
 */
export interface Loadable {
  tfjsNode: TfjsNode;
  installed?: InstalledEngine;
  /** The folder with the cached copy of tfjs-node, if that copy is loaded. It uses the program's tfjs packages. */
  copyRoot?: string;
}

/** Finds what `loadTensorflow` would load, or the reason why it cannot load anything. Only looks at files. */
export async function findLoadable(
  engine: InstallableEngine,
  cache: string = cacheRoot(),
): Promise<Loadable | { reason: string }> {
  const own = findTfjsNode(engine);
  if (own && hasOwnAddon(own)) return { tfjsNode: own };
  const command = `convkit engine install${engine === "gpu" ? " --gpu" : ""}`;
  const installed = await findInstalled(engine, tensorflowVersion, cache);
  if (!installed) return { reason: `it is not installed: type "${command}"` };
  if (installed.damage !== undefined)
    return {
      reason: `it is damaged in ${installed.folder} (${installed.damage}): type "${command}", which replaces it`,
    };
  const copy = findTfjsNodeCopy(engine, cache);
  const tfjsNode = own ?? (copy === undefined ? undefined : describeTfjsNode(copy));
  if (!tfjsNode) return { reason: `this project has no ${packageNames[engine]}: type "${command}"` };
  if (!(await isWholeLibrary(cachedAddon(installed, tfjsNode)))) {
    return { reason: `its addon is not compiled for tfjs-node ${tfjsNode.version} yet: type "${command}"` };
  }
  return { tfjsNode, installed, ...(own ? {} : { copyRoot: tfjsNodeCopyRoot(engine, cache) }) };
}

/** Loads a TensorFlow into this process and makes it tfjs' backend. */
export async function loadTensorflow(
  { tfjsNode, installed, copyRoot }: Loadable,
  { threads }: { threads?: number | undefined } = {},
): Promise<{ version: string; isGpu: boolean }> {
  // If another thread of this process has loaded TensorFlow, the thread count is already fixed.
  if (!isTensorflowMapped()) setTensorflowEnvironment(threads);
  else if (threads !== undefined && threads !== threadsOf()) {
    throw new EngineError(
      `TensorFlow runs in this process with ${threadsOf()} threads already, loaded by another thread of it, so it cannot take ${threads}: give the number at the first use.`,
    );
  }
  shimNodeUtil();
  if (installed) await placeAddon(installed, tfjsNode);
  if (copyRoot) shareTfjs(copyRoot);
  try {
    requireTfjsNode(tfjsNode, installed);
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    const what = installed ? installed.folder : `its folders "lib" and "deps"`;
    throw new EngineError(
      `TensorFlow could not be loaded through ${tfjsNode.folder} (${reason}): remove ${what} and type "convkit engine install".`,
    );
  }
  registerTensorflowKernels();
  await tf.setBackend("tensorflow");
  await tf.ready();
  const { binding, isUsingGpuDevice } = tf.backend() as unknown as {
    binding: { TF_Version: string };
    isUsingGpuDevice: boolean;
  };
  noteTensorflowLibrary(binding.TF_Version, installed && librariesOf(installed));
  return { version: binding.TF_Version, isGpu: isUsingGpuDevice };
}

function requireTfjsNode(tfjsNode: TfjsNode, installed: InstalledEngine | undefined): void {
  const require = createRequire(import.meta.url);
  if (require.cache[tfjsNode.addon] === undefined) {
    const addon = installed ? cachedAddon(installed, tfjsNode) : tfjsNode.addon;
    const isQuiet = Number(process.env["TF_CPP_MIN_LOG_LEVEL"]) > 0 && process.platform !== "win32";
    // TensorFlow 2.21 announces oneDNN while its libraries are loaded, before it looks at TF_CPP_MIN_LOG_LEVEL.
    if (isQuiet) withoutStderr(() => require(addon));
    else require(addon);
    // Give tfjs-node this loaded module: another process, with another cache, may be replacing the addon's file.
    require.cache[tfjsNode.addon] = require.cache[addon];
  }
  require(tfjsNode.folder);
}
