import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { run } from "./packed.ts";

/** A page that builds, writes, loads and asks a network of convkit, and loads images as files; its title tells what came of it. */
const program = `
import { chain, conv, dense, flatten, loadData, loadModel, predictor, useEngine } from "convkit";
import { build, classActivation } from "convkit/core";
import { modelFiles } from "convkit/weights";

async function told() {
  const { name, threads } = await useEngine("wasm", { threads: crossOriginIsolated ? 2 : 1 });
  const body = chain([conv(4, 3, { padding: "same", groups: 2 })]);
  const head = (options) => chain([flatten(), dense(options.classes, { activation: classActivation(options) })]);
  const model = build({
    name: "small", paper: "none", input: [6, 6, 2], smallest: 1, classes: 3, params: 0, trainable: 0, macs: 0, preprocessing: {}, body, head,
  });
  const [file] = await modelFiles(model, "net.keras");
  const again = await loadModel(file);
  const [onnx] = await modelFiles(model, "net.onnx");
  const pixels = Uint8Array.from({ length: 72 }, (_, at) => at * 3);
  const asked = [];
  for (const each of [again, new Uint8Array(await onnx.arrayBuffer())]) {
    const network = predictor(each);
    asked.push(Array.from((await network.predict({ data: pixels, shape: [1, 6, 6, 2] })).data));
    await network.dispose();
  }
  const canvas = new OffscreenCanvas(5, 4);
  canvas.getContext("2d").fillRect(0, 0, 5, 4);
  const picture = await canvas.convertToBlob();
  const { train } = await loadData([{ path: "a/1.png", file: picture }, { path: "b/1.png", file: picture }]);
  return { name, threads, isIsolated: crossOriginIsolated, classes: train.classes, shape: train.shape, asked };
}

told().then(
  (result) => { document.title = JSON.stringify(result); },
  (error) => { document.title = JSON.stringify({ error: String(error && error.stack) }); },
);
`;

/** What the page tells. */
export interface BundledPage {
  readonly name?: string;
  readonly threads?: number;
  readonly isIsolated?: boolean;
  readonly classes?: readonly string[];
  readonly shape?: readonly number[];
  /** The scores of the model that was loaded, and those of the ONNX file. */
  readonly asked?: readonly (readonly number[])[];
  readonly error?: string;
}

/** The address of a bundler's module. */
type Tool = (name: "vite" | "webpack") => string;

/** How each bundler makes its bundle, as a program in a project with convkit; a Node module in the bundle is an error or a warning. */
const bundlers: Readonly<Record<string, (tool: Tool) => string>> = {
  vite: (tool) => `
import { build } from ${JSON.stringify(tool("vite"))};
const refuseNode = { name: "refuse-node", enforce: "pre", resolveId(id) { if (id.startsWith("node:")) throw new Error(id + " is in the bundle"); } };
await build({ root: "page", configFile: false, logLevel: "error", base: "./", plugins: [refuseNode], build: { outDir: "../vite", target: "esnext", reportCompressedSize: false } });`,
  webpack: (tool) => `
import webpack from ${JSON.stringify(tool("webpack"))};
const compiler = webpack({ mode: "production", optimization: { minimize: false }, context: process.cwd(), entry: "./page/main.js", output: { path: process.cwd() + "/webpack", filename: "main.js" }, performance: { hints: false } });
await new Promise((done, fail) => compiler.run((error, stats) => {
  const { errors, warnings } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
  if (error || errors.length > 0) fail(error ?? new Error(errors.map(({ message }) => message).join("\\n")));
  else compiler.close(() => done());
}));`,
};

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Bundles a page in a project that has convkit with each bundler, opens it in Chromium, where its threads may share memory and where they may
 * not, and gives what it tells.
 */
export async function bundledPages(
  project: string,
  { executablePath, tool }: { readonly executablePath: string; readonly tool: Tool },
): Promise<Readonly<Record<string, BundledPage>>> {
  mkdirSync(join(project, "page"));
  writeFileSync(join(project, "page/main.js"), program);
  writeFileSync(join(project, "page/index.html"), page("./main.js"));
  const told: Record<string, BundledPage> = {};
  for (const [name, making] of Object.entries(bundlers)) {
    writeFileSync(join(project, `${name}.mjs`), making(tool));
    await run(process.execPath, [`${name}.mjs`], project);
    if (name === "webpack") writeFileSync(join(project, name, "index.html"), page("./main.js"));
    for (const isIsolated of [false, true])
      told[isIsolated ? `${name}, isolated` : name] = await toldBy(join(project, name), executablePath, isIsolated);
  }
  return told;
}

const page = (script: string): string =>
  `<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="${script}"></script>`;

/** Serves a folder, opens its page and gives what its title says once it is JSON. */
async function toldBy(folder: string, executablePath: string, isIsolated: boolean): Promise<BundledPage> {
  const headers = isIsolated
    ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
    : {};
  const server = createServer(({ url = "/" }, response) => {
    const path = new URL(url, "http://page").pathname;
    try {
      const bytes = readFileSync(join(folder, path === "/" ? "index.html" : path));
      response.writeHead(200, { "content-type": types[extname(path)] ?? "text/html", ...headers }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const opened = await browser.newPage();
    opened.setDefaultTimeout(0);
    const errors: string[] = [];
    opened.on("pageerror", ({ message }) => errors.push(message));
    await opened.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await opened.waitForFunction(() => document.title.startsWith("{"));
    const result = JSON.parse(await opened.title()) as BundledPage;
    return errors.length === 0 ? result : { ...result, error: errors.join("\n") };
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}
