import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";

/** Leaves other packages' modules where they are, and lets each module of ours find files beside its source. */
const inPlace: Plugin = {
  name: "in-place",
  setup({ onLoad, onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
      if (pluginData === inPlace || importer === "" || path.startsWith("@convkit/") || path.startsWith("node:"))
        return undefined;
      const found = await resolve(path, { kind, importer, resolveDir, pluginData: inPlace });
      if (found.external || found.errors.length > 0) return found;
      return { path: pathToFileURL(found.path).href, external: true };
    });
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replaceAll(
        /\bimport\.meta\.url\b/g,
        JSON.stringify(pathToFileURL(path).href),
      );
      return { contents, loader: "ts" };
    });
  },
};

/**
 * A global set-up of Vitest that bundles a command's sources once, and tells tests the file by `CONVKIT_TEST_COMMAND`.
 * Through tsx, the command would take seconds to start in each process that a test starts.
 */
export function bundling(entry: URL): () => Promise<() => void> {
  return async () => {
    // Below node_modules, where graph looks for no line of the user's.
    const folder = mkdtempSync(join(tmpdir(), "convkit-command-"));
    const outdir = join(folder, "node_modules/command");
    await build({
      entryPoints: [fileURLToPath(entry)],
      outdir,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      conditions: ["import", "node"],
      plugins: [inPlace],
      logLevel: "error",
    });
    process.env["CONVKIT_TEST_COMMAND"] = join(outdir, "main.mjs");
    return () => rmSync(folder, { recursive: true, force: true });
  };
}
