import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { temporaryName } from "@convkit/files";
import { EngineError, installEngine, listEngines, removeEngine } from "@convkit/engine";
import { folderBytes, makeCache } from "../src/install/cache.ts";
import { engineFolder, findInstalled, type InstallableEngine } from "../src/install/installed.ts";
import { tensorflowVersion } from "../src/install/wheels.ts";
import { platformOf } from "../src/machine/platform.ts";
import { findLoadable } from "../src/tensorflow/load.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

describe("the cache", () => {
  test("one that cannot be written is an error that names it and the variable", async () => {
    const file = path.join(await temporaryFolder(), "a-file");
    await writeFile(file, "");
    const folder = path.join(file, "convkit");
    await expect(makeCache(folder)).rejects.toThrow(EngineError);
    await withEnv({ CONVKIT_CACHE: folder }, async () => {
      await expect(installEngine()).rejects.toThrow(
        `The cache folder ${folder} cannot be written (ENOTDIR): a part of the path is a file, not a folder; choose another place (CONVKIT_CACHE names it).`,
      );
    });
  });

  test("its size is the sum of its files", async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, "a/b"), { recursive: true });
    await writeFile(path.join(folder, "a/b/c"), "12345");
    await writeFile(path.join(folder, "d"), "123");
    expect(await folderBytes(folder)).toBe(8);
    expect(await folderBytes(path.join(folder, "missing"))).toBe(0);
  });

  test("engines are listed with their sizes, and removed one kind at a time", async () => {
    const cache = await temporaryFolder();
    const folders = await Promise.all([
      put(cache, "native", "2.20.0"),
      put(cache, "native", "2.21.0"),
      put(cache, "gpu", "2.21.0"),
    ]);
    const half = temporaryName(engineFolder("native", "2.21.0", platformOf(), cache));
    await mkdir(half);
    const listed = await listEngines({ cache });
    expect(listed.map(({ folder }) => folder).toSorted()).toEqual(folders.toSorted());
    expect(listed.every(({ bytes }) => bytes > 0)).toBe(true);
    await mkdir(path.join(cache, "tfjs-node-4.22.0"));
    expect((await removeEngine({ cache })).toSorted()).toEqual(folders.slice(0, 2).toSorted());
    expect(await removeEngine({ cache })).toEqual([]);
    expect((await readdir(cache)).toSorted()).toEqual(
      [path.basename(folders[2] as string), path.basename(half)].toSorted(),
    );
    expect((await listEngines({ cache })).map(({ engine }) => engine)).toEqual(["gpu"]);
    expect(folders.map((folder) => existsSync(folder))).toEqual([false, false, true]);
  });

  test.each(["", "{", "null", "[]", '{"engine":"native"}', '{"engine":"native","libraryFolders":[null]}'])(
    "an engine whose manifest is damaged counts as not installed: %j",
    async (manifest) => {
      const cache = await temporaryFolder();
      const [whole, damaged] = [await put(cache, "native", "2.21.0"), await put(cache, "native", "2.20.0")];
      await writeFile(path.join(damaged, "engine.json"), manifest);
      expect((await listEngines({ cache })).map(({ folder }) => folder)).toEqual([whole]);
      expect(await findInstalled("native", "2.20.0", cache)).toBe(undefined);
      expect((await removeEngine({ cache })).toSorted()).toEqual([damaged, whole].toSorted());
      expect(await readdir(cache)).toEqual([]);
    },
  );

  test.each([{ engine: "gpu" }, { tensorflow: "2.20.0" }, { platform: "win32-x64" }])(
    "an engine with the manifest of another one is not loaded, and says what mends it: %j",
    async (other) => {
      const cache = await temporaryFolder();
      const folder = await put(cache, "native", tensorflowVersion, other);
      const of = { engine: "native", tensorflow: tensorflowVersion, platform: platformOf(), ...other };
      const stated = `engine-${of.engine}-tensorflow-${of.tensorflow}-${of.platform}`;
      expect(await findLoadable("native", cache)).toEqual({
        reason: `it is damaged in ${folder} (its engine.json is that of ${stated}): type "convkit engine install", which replaces it`,
      });
      expect((await listEngines({ cache }))[0]?.damage).toBe(`its engine.json is that of ${stated}`);
    },
  );

  test("an engine whose library is cut off is not loaded, and says what mends it", async () => {
    const cache = await temporaryFolder();
    const folder = await put(cache, "native", tensorflowVersion);
    await mkdir(path.join(folder, "lib"));
    const library = path.join(folder, "lib/libtensorflow_cc.so.2");
    const damage = async (bytes: Buffer, files?: object) => {
      await writeFile(library, bytes);
      await put(cache, "native", tensorflowVersion, { files });
      return (await findInstalled("native", tensorflowVersion, cache))?.damage;
    };
    expect(await damage(elf(500, 100))).toBe(undefined);
    expect(await damage(elf(500, 100).subarray(0, 590))).toBe("lib/libtensorflow_cc.so.2 lacks 10 bytes at its end");
    expect(await damage(elf(500, 100).subarray(0, 100))).toBe("lib/libtensorflow_cc.so.2 lacks 20 bytes at its end");
    const files = { "lib/libtensorflow_cc.so.2": 600, "lib/libtensorflow_framework.so.2": 5 };
    expect(await damage(elf(500, 100), files)).toBe("lib/libtensorflow_framework.so.2 is missing");
    expect(await damage(elf(500, 99), files)).toBe("lib/libtensorflow_cc.so.2 has 599 bytes instead of 600");
    expect((await listEngines({ cache }))[0]?.damage).toMatch(/599 bytes instead of 600$/);
    expect(await findLoadable("native", cache)).toEqual({
      reason: `it is damaged in ${folder} (lib/libtensorflow_cc.so.2 has 599 bytes instead of 600): type "convkit engine install", which replaces it`,
    });
  });
});

/** A library of the format ELF with one segment of so many bytes at an offset, and no table of sections. */
function elf(offset: number, bytes: number): Buffer {
  const file = Buffer.alloc(offset + bytes);
  file.write("\u007fELF\u0002\u0001\u0001", "latin1");
  // One program header of 56 bytes behind the file's header of 64: its type (PT_LOAD), offset and size.
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64);
  file.writeBigUInt64LE(BigInt(offset), 72);
  file.writeBigUInt64LE(BigInt(bytes), 96);
  return file;
}

async function put(cache: string, engine: InstallableEngine, tensorflow: string, more: object = {}): Promise<string> {
  const folder = engineFolder(engine, tensorflow, platformOf(), cache);
  await mkdir(folder, { recursive: true });
  const manifest = { engine, tensorflow, platform: platformOf(), wheels: [], libraryFolders: ["lib"], ...more };
  await writeFile(path.join(folder, "engine.json"), JSON.stringify(manifest));
  return folder;
}
