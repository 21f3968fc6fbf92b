import { cp, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { findInstalled, librariesOf, type InstalledEngine } from "../src/install/installed.ts";
import { cachedAddon, placeAddon } from "../src/install/place-addon.ts";
import { describeTfjsNode, findTfjsNode, hasOwnAddon, ownTensorflow, type TfjsNode } from "../src/install/tfjs-node.ts";
import { provideTfjsNode } from "../src/install/tfjs-node-copy.ts";
import { resolveShared } from "../src/tensorflow/share-tfjs.ts";
import { startProgram } from "./program.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

const workspace = findTfjsNode("native") as TfjsNode;
const installed = (await findInstalled("native", "2.21.0")) as InstalledEngine;

describe("the project's tfjs-node", () => {
  test("is found, with the place of its addon", () => {
    expect(workspace.version).toBe("4.22.0");
    expect(workspace.addon).toBe(path.join(workspace.folder, "lib/napi-v8/tfjs_binding.node"));
  });

  test("one with another tfjs-core than ours is passed over", async () => {
    const project = await temporaryFolder();
    for (const name of ["tfjs-node-gpu", "tfjs", "tfjs-core"]) {
      const folder = path.join(project, "node_modules/@tensorflow", name);
      await mkdir(folder, { recursive: true });
      await writeFile(
        path.join(folder, "package.json"),
        JSON.stringify({ name: `@tensorflow/${name}`, version: "4.22.0", main: "index.js" }),
      );
      await writeFile(path.join(folder, "index.js"), "");
    }
    expect(findTfjsNode("gpu", project)).toBeUndefined();
  });
});

describe("the addon", () => {
  test("is put back when a package manager has renewed the folder, and left alone otherwise", async () => {
    const tfjsNode = await copyOfWorkspace();
    expect(hasOwnAddon(tfjsNode)).toBe(false);
    const wanted = await readFile(cachedAddon(installed, tfjsNode));
    for (let round = 0; round < 2; round += 1) {
      await placeAddon(installed, tfjsNode);
      expect((await readFile(tfjsNode.addon)).equals(wanted)).toBe(true);
      expect(await readdir(path.dirname(tfjsNode.addon))).toEqual(["tfjs_binding.node"]);
      await rm(path.join(tfjsNode.folder, "lib"), { recursive: true });
    }
    await placeAddon(installed, tfjsNode);
    expect(hasOwnAddon(tfjsNode)).toBe(false);
  });

  test("that cannot be written is an error that names the folder", async () => {
    const file = path.join(await temporaryFolder(), "a-file");
    await writeFile(file, "");
    const tfjsNode = { ...workspace, addon: path.join(file, "lib/napi-v8/tfjs_binding.node") };
    await expect(placeAddon(installed, tfjsNode)).rejects.toThrow(
      /addon cannot be put into .*a-file\/lib\/napi-v8 \(ENOTDIR\)/,
    );
  });

  test("of a user's own working install is used as it is", async () => {
    const tfjsNode = await copyOfWorkspace();
    const { cc, framework } = librariesOf(installed);
    await mkdir(path.join(tfjsNode.folder, "deps/lib"), { recursive: true });
    await mkdir(path.dirname(tfjsNode.addon), { recursive: true });
    await symlink(cc, path.join(tfjsNode.folder, "deps/lib/libtensorflow.so.2"));
    await symlink(framework, path.join(tfjsNode.folder, "deps/lib/libtensorflow_framework.so.2"));
    await symlink(cc, path.join(tfjsNode.folder, "deps/lib/libtensorflow.so.2.21.0"));
    // Ours, with the path changed that makes it ours; so the libraries must be found otherwise.
    const ours = (await readFile(cachedAddon(installed, tfjsNode))).toString("latin1");
    await writeFile(tfjsNode.addon, ours.replaceAll("/engine-native-", "/another-folder"), "latin1");
    expect([hasOwnAddon(tfjsNode), ownTensorflow(tfjsNode)]).toEqual([true, "2.21.0"]);
    const { code, output, errors } = await startProgram("load", {
      env: { TFJS_NODE: tfjsNode.folder, LD_LIBRARY_PATH: path.dirname(cc) },
    }).ended;
    expect([code, errors]).toEqual([0, ""]);
    expect(JSON.parse(output)).toEqual({ version: "2.21.0", cores: 1, cc, framework, product: 11 });
    expect(await readdir(path.dirname(tfjsNode.addon))).toEqual(["tfjs_binding.node"]);
  });
});

describe("a TensorFlow that does not load", () => {
  test("is an error that says why and what to remove", async () => {
    const tfjsNode = await copyOfWorkspace();
    await mkdir(path.dirname(tfjsNode.addon), { recursive: true });
    await writeFile(tfjsNode.addon, "no addon");
    const { code, errors } = await startProgram("load", { env: { TFJS_NODE: tfjsNode.folder } }).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(
      /EngineError: TensorFlow could not be loaded through .*tfjs-node \(.*\): remove its folders "lib" and "deps" and type "convkit engine install"\./,
    );
  });
});

describe("the copy of tfjs-node in the cache", () => {
  test("comes from npm and shares the program's tfjs-core", async () => {
    const cache = await temporaryFolder();
    const folder = await provideTfjsNode("native", cache);
    expect(await provideTfjsNode("native", cache)).toBe(folder);
    expect(await readdir(cache)).toEqual(["tfjs-node-4.22.0"]);
    const env = { TFJS_NODE: folder, COPY_ROOT: path.join(cache, "tfjs-node-4.22.0"), INSTALLED: "native" };
    const { code, output, errors } = await startProgram("load", { env }).ended;
    expect([code, errors]).toEqual([0, ""]);
    expect(JSON.parse(output)).toEqual({ version: "2.21.0", cores: 1, ...librariesOf(installed), product: 11 });
  });

  test("passes over an old tfjs at the top of node_modules, which has a tfjs-core of its own", async () => {
    const project = await temporaryFolder();
    const put = async (folder: string, version: string) => {
      const at = path.join(project, "node_modules", folder);
      await mkdir(at, { recursive: true });
      const name = `@tensorflow/${path.basename(at)}`;
      await writeFile(path.join(at, "package.json"), JSON.stringify({ name, version, main: "index.js" }));
      await writeFile(path.join(at, "index.js"), "throw new Error('this tfjs is old');");
      return path.join(at, "index.js");
    };
    const core = await put("@tensorflow/tfjs-core", "4.22.0");
    await put("@tensorflow/tfjs", "1.7.4");
    await put("@tensorflow/tfjs/node_modules/@tensorflow/tfjs-core", "1.7.4");
    const layers = await put("@tensorflow/tfjs-layers", "4.22.0");
    const places = [path.join(project, "package.json")];
    expect(resolveShared("@tensorflow/tfjs", core, places)).toBeUndefined();
    expect(resolveShared("@tensorflow/tfjs-layers", core, places)).toBe(layers);
    expect(resolveShared("@tensorflow/tfjs-core", core, places)).toBe(core);
    const union = await put("sub/node_modules/@tensorflow/tfjs", "4.22.0");
    expect(resolveShared("@tensorflow/tfjs", core, [...places, path.join(project, "node_modules/sub/x.js")])).toBe(
      union,
    );
  });

  test("needs npm", async () => {
    const cache = await temporaryFolder();
    await withEnv({ PATH: "/nowhere" }, async () => {
      await expect(provideTfjsNode("native", cache)).rejects.toThrow("no npm was found on the PATH");
    });
    expect(await readdir(cache)).toEqual([]);
  });

  test("needs a registry", async () => {
    const cache = await temporaryFolder();
    const env = {
      npm_config_registry: "http://127.0.0.1:9",
      npm_config_fetch_retries: "0",
      npm_config_cache: path.join(cache, "npm"),
    };
    await withEnv(env, async () => {
      await expect(provideTfjsNode("native", cache)).rejects.toThrow(
        /npm could not fetch @tensorflow\/tfjs-node@4.22.0 \(.*\): check the network/,
      );
    });
  });
});

/** The workspace's tfjs-node under another path, with the same dependencies, and no addon. */
async function copyOfWorkspace(): Promise<TfjsNode> {
  const modules = path.join(await temporaryFolder(), "node_modules");
  const folder = path.join(modules, "@tensorflow/tfjs-node");
  await cp(workspace.folder, folder, {
    recursive: true,
    filter: (source) => !["lib", "deps", "node_modules"].includes(path.relative(workspace.folder, source)),
  });
  const beside = path.resolve(workspace.folder, "../..");
  for (const name of ["@tensorflow/tfjs", "@mapbox", "google-protobuf", "progress"]) {
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(await realpath(path.join(beside, name)), path.join(modules, name));
  }
  // tfjs-node takes it without naming it among its dependencies.
  const core = path.join(await realpath(path.join(beside, "@tensorflow/tfjs")), "../tfjs-core");
  await symlink(await realpath(core), path.join(modules, "@tensorflow/tfjs-core"));
  return describeTfjsNode(folder);
}
