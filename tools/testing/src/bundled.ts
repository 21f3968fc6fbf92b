import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
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

function bundle(entry: URL, outdir: string): Promise<unknown> {
  return build({
    entryPoints: [fileURLToPath(entry)],
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["import", "node"],
    plugins: [inPlace],
    logLevel: "error",
  });
}

/** Bundles a program of a test, which then starts in a moment; `file` is run by `node`. */
export async function bundledProgram(entry: URL): Promise<{ readonly file: string; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "convkit-program-"));
  const made = join(folder, "node_modules/program");
  await bundle(entry, made);
  writeFileSync(join(made, "package.json"), JSON.stringify({ type: "module" }));
  const name = basename(fileURLToPath(entry)).replace(/\.ts$/, ".js");
  return { file: join(made, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * A global set-up of Vitest that bundles the sources of a command's package once, and tells tests the command's file by
 * `CONVKIT_TEST_COMMAND`: its own `bin`, beside the bundle as `dist`. Through tsx, it would take seconds to start in each
 * process that a test starts.
 */
export function bundling(app: URL): () => Promise<() => void> {
  return async () => {
    // Below node_modules, where graph looks for no line of the user's.
    const folder = mkdtempSync(join(tmpdir(), "convkit-command-"));
    const command = join(folder, "node_modules/command");
    await bundle(new URL("src/main.ts", app), join(command, "dist"));
    writeFileSync(join(command, "package.json"), JSON.stringify({ type: "module" }));
    cpSync(new URL("bin", app), join(command, "bin"), { recursive: true });
    const [bin] = readdirSync(join(command, "bin"));
    process.env["CONVKIT_TEST_COMMAND"] = join(command, "bin", bin!);
    return () => rmSync(folder, { recursive: true, force: true });
  };
}

/** Addresses on loopback whose ports were free a moment ago. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return addresses;
}
