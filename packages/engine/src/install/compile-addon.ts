import { createRequire } from "node:module";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

import { runChild } from "./child.ts";
import { EngineError } from "../engine-error.ts";
import { libraryNames, type Platform } from "../machine/platform.ts";

/** The source, the libraries and the output of a compilation. */
export interface AddonBuild {
  platform: Platform;
  /** The folder of `@tensorflow/tfjs-node`, whose own source is compiled. */
  tfjsNode: string;
  include: string;
  /** The libraries' current folder, and their folder when the addon is loaded. */
  libraries: string;
  runtimeFolders: readonly string[];
  napi: number;
  output: string;
  /** More flags for the compiler. */
  flags?: readonly string[];
}

/** The first C++ compiler that runs: `$CXX`, c++, g++ or clang++. */
export async function findCompiler(): Promise<{ command: string; version: string } | undefined> {
  for (const command of [process.env["CXX"], "c++", "g++", "clang++"]) {
    if (!command) continue;
    const { code, output } = await runChild(command, ["--version"]);
    if (code === 0) return { command, version: output.split("\n")[0]?.trim() ?? "" };
  }
  return undefined;
}

/** Returns the compiler's command. Without a compiler, throws an EngineError that says what to install. */
export async function requireCompiler(): Promise<string> {
  const compiler = await findCompiler();
  if (compiler) return compiler.command;
  const how = process.platform === "darwin" ? "xcode-select --install" : "apt install g++";
  throw new EngineError(
    `No C++ compiler (c++, g++ or clang++) was found on the PATH: install one ("${how}"), then run the install again.`,
  );
}

/**
 * Compiles tfjs-node's addon in one command; about ten seconds. Throws an EngineError without a compiler, or with its
 * first error.
 */
export async function compileAddon(build: AddonBuild, signal?: AbortSignal): Promise<void> {
  const compiler = await requireCompiler();
  await mkdir(path.dirname(build.output), { recursive: true });
  const { code, output } = await runChild(compiler, compilerArguments(build), { signal });
  if (code !== 0) {
    const reason = output.split("\n").find((line) => /error/i.test(line)) ?? output.trim().split("\n").at(-1);
    throw new EngineError(`${compiler} could not compile tfjs-node's addon: ${reason?.trim()}.`);
  }
}

function compilerArguments({
  platform,
  tfjsNode,
  include,
  libraries,
  runtimeFolders,
  napi,
  output,
  flags: more = [],
}: AddonBuild): string[] {
  const { include_dir: nodeHeaders } = createRequire(import.meta.url)("node-api-headers") as { include_dir: string };
  const { cc, framework } = libraryNames(platform);
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => path.join(tfjsNode, "binding", file));
  const flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-w", `-DNAPI_VERSION=${napi}`, ...more];
  if (platform === "darwin-arm64") flags.push("-undefined", "dynamic_lookup");
  flags.push(`-I${include}`, `-I${nodeHeaders}`);
  const link = runtimeFolders.map((folder) => `-Wl,-rpath,${folder}`);
  link.push(path.join(libraries, cc), path.join(libraries, framework));
  return [...flags, ...sources, ...link, "-o", output];
}
