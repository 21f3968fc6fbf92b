// Builds the page into `dist`: `pnpm build`. Give another folder to write there.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licensesOf } from "./licenses.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const out = process.argv[2] ?? join(here, "dist");

rmSync(out, { recursive: true, force: true });
cpSync(join(here, "page"), out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  metafile: true,
  entryPoints: { page: "src/page.tsx", compute: "src/compute/worker.ts" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  chunkNames: "part-[hash]",
  target: "es2023",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  define: { CONVKIT_VERSION: JSON.stringify(`^${version}`) },
  logLevel: "warning",
});
writeFileSync(join(out, "licenses.txt"), licensesOf(metafile, here));
const assembly = fileURLToPath(new URL("../../packages/engine/assembly/assemble.mjs", import.meta.url));
execFileSync(process.execPath, [assembly, join(out, "wasm")], { stdio: "inherit" });

// The service worker keeps these files, under a name that changes with them.
const files = readdirSync(out, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(out.length + 1)
      .replaceAll("\\", "/"),
  )
  .toSorted();
const hash = createHash("sha256");
for (const file of files) hash.update(file).update(readFileSync(join(out, file)));
await build({
  absWorkingDir: here,
  entryPoints: { "service-worker": "src/service-worker.ts" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  define: { FILES: JSON.stringify(files), VERSION: JSON.stringify(hash.digest("hex").slice(0, 16)) },
  logLevel: "warning",
});
