import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { useEngine } from "@convkit/engine";
import { withLock, writeFolderAtomic } from "@convkit/files";
import { build } from "esbuild";
import { type CompiledReport, withCompiledCalls } from "./compiled-calls.ts";

/**
 * Runs tfjs-core's own conformance specs, which its npm package ships, on an engine, and prints JSON: how many passed, and each failure with
 * its message. A program, since it must be the first to load tfjs-core: `node --import tsx src/conformance.ts <engine> [<pattern> [<n>]]`.
 * With `n`, one spec of n by its name's hash runs, and each op that it calls is called compiled, too (native only). The engine `stock` is
 * native without our kernels.
 */
const [engine = "wasm", pattern = "", share] = process.argv.slice(2);

const require = createRequire(import.meta.url);
/** The file that everybody's `import "@tensorflow/tfjs-core"` ends in. */
const published = realpathSync(require.resolve("@tensorflow/tfjs-core"));

interface Spec {
  readonly fullName: string;
  readonly status: "passed" | "failed" | "pending" | "excluded";
  readonly failedExpectations: readonly { readonly message: string }[];
}

/**
 * tfjs-core as CommonJS, module by module. The specs are ES modules that import the inside of tfjs-core, and the published CommonJS file is
 * one bundle: with both there would be two engines.
 */
async function convertedCore(): Promise<string> {
  const folder = dirname(dirname(published));
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  const copy = fileURLToPath(new URL(`../node_modules/.cache/tfjs-core-${version}`, import.meta.url));
  await withLock(`${copy}.lock`, async () => {
    if (existsSync(copy)) return;
    const dist = join(folder, "dist");
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".js") && !file.startsWith("tf-core"),
    );
    await writeFolderAtomic(copy, async (inside) => {
      const entryPoints = files.map((file) => join(dist, file));
      const outdir = join(inside, "dist");
      await build({ entryPoints, outdir, outbase: dist, format: "cjs", platform: "node", logLevel: "error" });
      // The backends of tfjs are ES5, whose classes call the constructor of their parent without `new`.
      const base = join(inside, "dist/backends/backend.js");
      const text = readFileSync(base, "utf8").replace("class KernelBackend {", "let KernelBackend = class {");
      await writeFile(base, `${text}\nKernelBackend = new Proxy(KernelBackend, { apply: () => undefined });\n`);
      await writeFile(join(inside, "package.json"), readFileSync(join(folder, "package.json")));
      await symlink(dirname(dirname(folder)), join(inside, "node_modules"));
    });
  });
  return join(copy, "dist", "index.js");
}

interface Kernels {
  getKernelsForBackend(backend: string): { kernelName: string }[];
  unregisterKernel(kernelName: string, backend: string): void;
}

/** Replaces the native engine's kernels by tfjs-node's own. */
function takeStockKernels({ getKernelsForBackend, unregisterKernel }: Kernels): void {
  for (const { kernelName } of getKernelsForBackend("tensorflow")) unregisterKernel(kernelName, "tensorflow");
  const registration = Object.keys(require.cache).find((file) =>
    /tfjs-node[^/\\]*[/\\]dist[/\\]register_all_kernels\.js$/.test(file),
  )!;
  delete require.cache[registration];
  require(registration);
}

const load = createRequire(await convertedCore());
const stand = new Module(published);
Object.assign(stand, { filename: published, loaded: true, exports: load("./index.js") as object });
require.cache[published] = stand as NodeJS.Module;

const jasmineRequire = load("jasmine-core/lib/jasmine-core/jasmine.js") as {
  core(required: unknown): Jasmine;
  interface(jasmine: Jasmine, env: unknown): object;
};
interface Jasmine {
  DEFAULT_TIMEOUT_INTERVAL: number;
  getEnv(options: object): {
    configure(options: object): void;
    addReporter(reporter: object): void;
    execute(): Promise<unknown>;
  };
}
const jasmine = jasmineRequire.core(jasmineRequire);
const environment = jasmine.getEnv({ suppressLoadErrors: true });
Object.assign(globalThis, jasmineRequire.interface(jasmine, environment), { jasmine });

// One thread: each of a few hundred groups of specs throws the backend away and starts another one.
const { backend } = await useEngine((engine === "stock" ? "native" : engine) as "wasm", { threads: 1 });
if (engine === "stock") takeStockKernels(load("./index.js") as Kernels);
load("./public/chained_ops/register_all_chained_ops.js");
load("./register_all_gradients.js");
const { setTestEnvs } = load("./jasmine_util.js") as { setTestEnvs(environments: object[]): void };
setTestEnvs([{ name: engine, backendName: backend, flags: {}, isDataSync: true }]);
// The import above set its own time limit.
jasmine.DEFAULT_TIMEOUT_INTERVAL = 60_000;
const calls: CompiledReport = { equal: 0, refused: {}, different: [] };
let currentSpec = "";
if (share !== undefined) {
  const { compile } = await import("@convkit/graph");
  // The specs get these exports where they import tfjs-core's index; the engine and the compiler have the plain ones.
  const index = require.cache[load.resolve("./index.js")]!;
  index.exports = withCompiledCalls(index.exports as never, compile as never, () => currentSpec, calls);
}
load("./tests.js");

const wanted = new RegExp(pattern);
const isDrawn = (name: string): boolean =>
  share === undefined || createHash("sha256").update(name).digest().readUInt32LE() % Number(share) === 0;
const specFilter = (spec: { getFullName(): string }): boolean =>
  wanted.test(spec.getFullName()) && isDrawn(spec.getFullName());
environment.configure({ random: false, specFilter });
let passed = 0;
const failures: { name: string; message: string }[] = [];
environment.addReporter({
  specStarted({ fullName }: Spec) {
    currentSpec = fullName;
  },
  specDone({ fullName, status, failedExpectations }: Spec) {
    if (status === "passed") passed += 1;
    const message = failedExpectations.map(({ message }) => message).join("; ");
    if (status === "failed")
      failures.push({ name: fullName.replace(` ${engine} {}`, ""), message: message.slice(0, 500) });
  },
});
const told: unknown[] = [];
for (const level of ["log", "warn", "error", "info"] as const) console[level] = (...words) => void told.push(words);
await environment.execute();
process.stdout.write(`\n${JSON.stringify({ passed, failures, calls })}\n`, () => process.exit(0));
