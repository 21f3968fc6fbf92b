import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { temporaryName } from "@convkit/files";
import { EngineError, installEngine, listEngines, removeEngine } from "@convkit/engine";
import { folderBytes, makeCache } from "../src/install/cache.ts";
import { engineFolder, findInstalled, type InstallableEngine } from "../src/install/installed.ts";
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
    const half = temporaryName(engineFolder("native", "2.21.0", "linux-x64", cache));
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
    },
  );
});

async function put(cache: string, engine: InstallableEngine, tensorflow: string): Promise<string> {
  const folder = engineFolder(engine, tensorflow, "linux-x64", cache);
  await mkdir(folder);
  const manifest = { engine, tensorflow, platform: "linux-x64", wheels: [], libraryFolders: ["lib"] };
  await writeFile(path.join(folder, "engine.json"), JSON.stringify(manifest));
  return folder;
}
