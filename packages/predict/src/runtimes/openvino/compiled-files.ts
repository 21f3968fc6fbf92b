import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, realpath, rm, stat, utimes } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { cacheFolder, readJson, writeFolderAtomic, writeJson } from "@convkit/files";

import type { Pointer } from "../native/tensors.ts";
import type { OnnxFile } from "../runtime.ts";
import { compileFile, compileModel, type Openvino, readModel } from "./c-api.ts";

/** Networks that OpenVINO has compiled are kept: so many, and so many bytes, those used last. */
const most = { networks: 16, bytes: 2e9 } as const;

/** The name of a file beside the compiled network: its name and its size. */
const markName = "network.json";

/** A compiled network. */
export interface Compiled {
  readonly compiled: Pointer;
  /** True if an earlier call, usually of another process, had compiled it. */
  readonly fromCache: boolean;
}

/**
 * Compiles a network, or reads it as it was compiled before: OpenVINO keeps it in convkit's cache, by content, version, settings and CPU,
 * and by path for a file. Undefined where it cannot be kept: on a disk that cannot be written, and for weights in other files, whose
 * content is not looked at.
 */
export async function compileKept(
  library: Openvino,
  file: OnnxFile,
  settings: Readonly<Record<string, string>>,
): Promise<Compiled | undefined> {
  const folder = await folderFor(library, file, settings);
  if (folder === undefined) return undefined;
  const compileIn = (place: string): Promise<Pointer> => {
    const kept = { ...settings, CACHE_DIR: place, CACHE_MODE: "OPTIMIZE_SPEED" };
    return typeof file === "string" ? compileFile(library, file, kept) : compileAnew(library, file, kept);
  };
  try {
    if (await isWhole(folder)) {
      const now = new Date();
      await utimes(folder, now, now);
      return { compiled: await compileIn(folder), fromCache: true };
    }
    let compiled: Pointer | undefined;
    try {
      await writeFolderAtomic(folder, async (place) => {
        compiled = await compileIn(place);
        const [name] = await readdir(place);
        if (name !== undefined) await writeJson(path.join(place, markName), { name, size: await sizeOf(place, name) });
      });
    } catch (error) {
      if (compiled === undefined) throw error;
    }
    await removeOldest(path.dirname(folder));
    return compiled === undefined ? undefined : { compiled, fromCache: false };
  } catch {
    // Compiled without a cache, it works or says what is wrong.
    return undefined;
  }
}

/** Reads and compiles a network, which OpenVINO keeps where the settings say so. */
export async function compileAnew(
  library: Openvino,
  file: OnnxFile,
  settings: Readonly<Record<string, string>>,
): Promise<Pointer> {
  const model = readModel(library, file);
  try {
    return await compileModel(library, model, settings);
  } finally {
    library.c.modelFree(model);
  }
}

/** Where a network is kept; undefined where its weights may stand in other files. */
async function folderFor(
  { version }: Openvino,
  file: OnnxFile,
  settings: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const hash = createHash("sha256");
  const about = { version, settings, cpu: os.cpus()[0]?.model ?? "" };
  const place = (all: object): string => {
    const key = hash.update(JSON.stringify(all)).digest("hex").slice(0, 32);
    return path.join(cacheFolder("predict"), "openvino", key);
  };
  if (typeof file !== "string") {
    hash.update(file);
    return place(about);
  }
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    // The key of the name of another file, in the ONNX format.
    if (chunk.includes("location") || Buffer.concat([end, chunk.subarray(0, 8)]).includes("location")) return undefined;
    end = chunk.subarray(-8);
  }
  // OpenVINO looks at these, too, and would write a second network into the folder.
  return place({ ...about, place: await realpath(file), mtimeMs: (await stat(file)).mtimeMs });
}

/** False for a network that is cut off: the process would end at the first use of a page that the file has not. */
async function isWhole(folder: string): Promise<boolean> {
  const { name, size } = ((await readJson(path.join(folder, markName)).catch(() => undefined)) ?? {}) as {
    readonly name?: unknown;
    readonly size?: unknown;
  };
  return typeof name === "string" && (await sizeOf(folder, path.basename(name))) === size;
}

async function sizeOf(folder: string, name: string): Promise<number | undefined> {
  return (await stat(path.join(folder, name)).catch(() => undefined))?.size;
}

/** Removes what was not used for longest. A process that has read a network keeps it. */
async function removeOldest(base: string): Promise<void> {
  const found = await Promise.all(
    (await readdir(base)).map(async (name) => {
      const folder = path.join(base, name);
      const sizes = await Promise.all((await readdir(folder).catch(() => [])).map((each) => sizeOf(folder, each)));
      const used = (await stat(folder).catch(() => undefined))?.mtimeMs ?? 0;
      return { folder, used, bytes: sizes.reduce<number>((sum, size = 0) => sum + size, 0) };
    }),
  );
  let bytes = 0;
  for (const [place, each] of found.toSorted((a, b) => b.used - a.used).entries()) {
    bytes += each.bytes;
    if (place > 0 && (place >= most.networks || bytes > most.bytes))
      await rm(each.folder, { recursive: true, force: true });
  }
}
