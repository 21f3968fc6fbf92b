// Copies libjpeg-turbo's addon for every platform from @julusian/jpeg-turbo into dist, with its licence: `pnpm build` runs it.
import { cpSync, copyFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = dirname(createRequire(import.meta.url).resolve("@julusian/jpeg-turbo/package.json"));
cpSync(join(folder, "prebuilds"), "dist/prebuilds", { recursive: true, dereference: true });
// Not under the name LICENSE: `pnpm pack` would take it for the package's own and leave that out.
copyFileSync(join(folder, "LICENSE"), "dist/prebuilds/jpeg-turbo-license.txt");
