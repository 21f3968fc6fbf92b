// Compiles tfjs-node's addon for the package of this platform (`platforms/engine-<platform>`): `pnpm --filter @convkit/engine addon`.
// Needs the native engine (`convkit engine install`) and a C++ compiler. `CXX` chooses one; an older C library to link with makes
// the addon run on older systems.
import { execFileSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { compileAddon } from "../src/install/compile-addon.ts";
import { findInstalled } from "../src/install/installed.ts";
import { folderPlaceholder, prebuiltFile } from "../src/install/prebuilt-addon.ts";
import { findTfjsNode } from "../src/install/tfjs-node.ts";
import { tensorflowVersion } from "../src/install/wheels.ts";
import { platformOf } from "../src/machine/platform.ts";

const platform = platformOf();
const installed = await findInstalled("native", tensorflowVersion);
const tfjsNode = findTfjsNode("native");
if (installed === undefined || tfjsNode === undefined)
  throw new Error('The native engine is needed: type "convkit engine install" first.');
const output = fileURLToPath(
  new URL(`../../../platforms/engine-${platform}/${prebuiltFile(tfjsNode)}`, import.meta.url),
);
await compileAddon({
  platform,
  tfjsNode: tfjsNode.folder,
  include: path.join(installed.folder, "include"),
  libraries: path.join(installed.folder, "lib"),
  runtimeFolders: [folderPlaceholder],
  napi: tfjsNode.napi,
  output,
  // The addon calls C functions only, so its C++ library may be its own.
  flags: ["-s", "-static-libstdc++", "-static-libgcc"],
});
const symbols = execFileSync("objdump", ["-T", output], { encoding: "utf8" });
const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [Number(major), Number(minor)]);
const [newest] = versions.toSorted(([a = 0, b = 0], [c = 0, d = 0]) => c - a || d - b);
process.stdout.write(`${output}\nneeds glibc ${newest?.join(".")}\n`);
