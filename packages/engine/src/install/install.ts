import { rename, rm } from "node:fs/promises";
import path from "node:path";

import { checkOptions, type OptionNames } from "@convkit/errors";
import { cacheRoot, temporaryName } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { compileAddon, requireCompiler } from "./compile-addon.ts";
import { engineProvision } from "./libraries.ts";
import { isWholeLibrary } from "./library-damage.ts";
import type { OnProgress } from "./progress.ts";
import { findInstalled, type InstallableEngine, type InstalledEngine } from "./installed.ts";
import { cachedAddon, placeAddon } from "./place-addon.ts";
import { provide, whileInstalling } from "./provision.ts";
import { findPrebuilt, writePrebuilt } from "./prebuilt-addon.ts";
import { platformOf } from "../machine/platform.ts";
import {
  describeTfjsNode,
  findTfjsNode,
  hasOwnAddon,
  ownTensorflow,
  packageNames,
  type TfjsNode,
} from "./tfjs-node.ts";
import { findTfjsNodeCopy, provideTfjsNode, tfjsNodeNapi, tfjsNodeVersion } from "./tfjs-node-copy.ts";
import { tensorflowVersion, wheelsOf } from "./wheels.ts";

/** Options of `installEngine`. */
export interface InstallOptions {
  /** The CUDA build with NVIDIA's libraries instead of the CPU build; false by default. */
  readonly gpu?: boolean | undefined;
  /** Called with each step of the install; none by default. */
  readonly onProgress?: OnProgress | undefined;
  /** Aborts the install, and no unfinished files are left; none by default. */
  readonly signal?: AbortSignal | undefined;
}

const optionNames: OptionNames<InstallOptions> = { gpu: true, onProgress: true, signal: true };

/**
 * Provides a current TensorFlow for tfjs-node in the user's cache: libraries out of TensorFlow's official wheel, and
 * tfjs-node's own addon, prebuilt for this platform or compiled against them. Parts already in the cache are neither fetched nor compiled again, unless they are damaged.
 * If the project's tfjs-node has a TensorFlow of its own, nothing is installed.
 * Throws an EngineError that says what is missing.
 */
export async function installEngine(options: InstallOptions = {}): Promise<InstalledEngine> {
  checkOptions("installEngine", options, optionNames, (message) => new EngineError(message));
  const { gpu = false, onProgress = () => {}, signal } = options;
  const engine = gpu ? "gpu" : "native";
  wheelsOf(engine, platformOf());
  const present = findTfjsNode(engine);
  if (present && hasOwnAddon(present)) return describeOwn(engine, present, onProgress);
  const cache = cacheRoot();
  const provision = engineProvision(engine, cache);
  return whileInstalling(provision, { onProgress, signal }, async (signal) => {
    const cached = await findInstalled(engine, tensorflowVersion, cache);
    const found = cached?.damage === undefined ? cached : undefined;
    // Report a missing compiler before the large download, not after it.
    if (found === undefined && !hasPrebuilt(present)) await requireCompiler();
    if (found === undefined) await provide(provision, onProgress, signal);
    const installed = found ?? (await findInstalled(engine, tensorflowVersion, cache))!;
    const tfjsNode = findTfjsNode(engine) ?? (await copyOfTfjsNode(engine, cache, onProgress, signal));
    await installAddon(installed, tfjsNode, onProgress, signal);
    await placeAddon(installed, tfjsNode);
    onProgress({ step: "done", message: `TensorFlow ${installed.tensorflow} is ready in ${installed.folder}` });
    return installed;
  });
}

/** True if the addon for the project's tfjs-node, or else for the copy that npm brings, need not be compiled. */
export function hasPrebuilt(tfjsNode: TfjsNode | undefined = findTfjsNode("native")): boolean {
  const wanted = tfjsNode ?? { version: tfjsNodeVersion, napi: tfjsNodeNapi };
  return findPrebuilt(platformOf(), tensorflowVersion, wanted) !== undefined;
}

function describeOwn(engine: InstallableEngine, tfjsNode: TfjsNode, onProgress: OnProgress): InstalledEngine {
  const { folder } = tfjsNode;
  onProgress({ step: "done", message: `${folder} has a TensorFlow of its own, which is used as it is` });
  return {
    engine,
    tensorflow: ownTensorflow(tfjsNode),
    platform: platformOf(),
    folder,
    wheels: [],
    libraryFolders: [],
  };
}

async function copyOfTfjsNode(
  engine: InstallableEngine,
  cache: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<TfjsNode> {
  if (findTfjsNodeCopy(engine, cache) === undefined) {
    onProgress({
      step: "tfjs-node",
      message: `This project has no ${packageNames[engine]}; npm brings a copy into the cache`,
    });
  }
  return describeTfjsNode(await provideTfjsNode(engine, cache, signal));
}

/**
 * Puts the addon for this tfjs-node into the cache unless it is there: the prebuilt one, else one compiled here. One
 * rename puts the finished file there.
 */
async function installAddon(
  installed: InstalledEngine,
  tfjsNode: TfjsNode,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<void> {
  const output = cachedAddon(installed, tfjsNode);
  if (await isWholeLibrary(output)) return;
  const partial = temporaryName(output);
  try {
    if (await writePrebuilt(installed, tfjsNode, partial)) return await rename(partial, output);
    onProgress({ step: "compile", message: `Compiling the addon of tfjs-node ${tfjsNode.version}` });
    await compileAddon(
      {
        platform: installed.platform,
        tfjsNode: tfjsNode.folder,
        include: path.join(installed.folder, "include"),
        libraries: path.join(installed.folder, "lib"),
        runtimeFolders: installed.libraryFolders.map((folder) => path.join(installed.folder, folder)),
        napi: tfjsNode.napi,
        output: partial,
      },
      signal,
    );
    await rename(partial, output);
  } finally {
    await rm(partial, { force: true });
  }
}
