import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { compileAddon, findCompiler, requireCompiler } from "../src/install/compile-addon.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

describe("the C++ compiler", () => {
  test("$CXX comes first", async () => {
    const bin = await temporaryFolder();
    const compiler = path.join(bin, "my-c++");
    await writeFile(compiler, "#!/bin/sh\necho my compiler 1.0\n");
    await chmod(compiler, 0o755);
    await withEnv({ CXX: compiler }, async () => {
      expect(await findCompiler()).toEqual({ command: compiler, version: "my compiler 1.0" });
    });
  });

  test("a $CXX that does not run is passed over", async () => {
    await withEnv({ CXX: "/nowhere/c++" }, async () => {
      expect((await findCompiler())?.command).not.toBe("/nowhere/c++");
    });
  });

  test("none is refused with what to install", async () => {
    await withEnv({ PATH: "/nowhere", CXX: undefined }, async () => {
      await expect(requireCompiler()).rejects.toThrow(
        /No C\+\+ compiler \(c\+\+, g\+\+ or clang\+\+\) was found on the PATH: install one \(".*"\), then run the install again/,
      );
    });
  });

  test("its first error becomes ours", async () => {
    const folder = await temporaryFolder();
    const build = {
      platform: "linux-x64",
      tfjsNode: folder,
      include: folder,
      libraries: folder,
      runtimeFolders: [],
      napi: 8,
    } as const;
    await expect(compileAddon({ ...build, output: path.join(folder, "out.node") })).rejects.toThrow(
      /could not compile tfjs-node's addon: .*error.*tfjs_backend\.cc/,
    );
  });
});
