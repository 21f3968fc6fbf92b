import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { findChromium } from "@convkit/testing/chromium";

const require = createRequire(import.meta.url);

export interface PageOptions {
  /** Serves the page so that its threads may share memory (cross-origin isolation); false by default. */
  readonly isIsolated?: boolean;
  /** More files of the page, by path; none by default. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/**
 * Bundles a program for the browser as a user's bundler does, opens it in headless Chromium and gives what its exported function `run`
 * returned. The WebAssembly files lie under `/wasm`. WebGPU and WebGL compute in software. An error of the page is thrown here.
 */
export async function runInPage<T>(program: string, { isIsolated = false, files = {} }: PageOptions = {}): Promise<T> {
  const script = await bundle(program);
  const server = createServer((request, response) => {
    const headers: Record<string, string> = isIsolated
      ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
      : {};
    void answer(request.url ?? "/", script, files, response, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await chromium.launch({
    executablePath: findChromium()!,
    args: [
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--enable-unsafe-swiftshader",
      "--disable-gpu-watchdog",
    ],
  });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    page.setDefaultTimeout(0);
    const result = await page.evaluate(async () => {
      const { program: bundled } = globalThis as unknown as { program?: { run(): Promise<unknown> } };
      return bundled?.run();
    });
    if (errors.length > 0) throw new Error(`The page failed: ${errors.join("\n")}`);
    return result as T;
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

/** The program as one script; a Node module in it is an error. */
async function bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "program",
    legalComments: "none",
    logLevel: "silent",
    // Scripts that are no modules have no address of their own; the tests give the folder of the WebAssembly files instead.
    define: { "import.meta.url": JSON.stringify("http://127.0.0.1/") },
  });
  return outputFiles[0]!.text;
}

async function answer(
  address: string,
  script: string,
  files: Readonly<Record<string, Uint8Array>>,
  response: ServerResponse,
  headers: Record<string, string>,
): Promise<void> {
  const { pathname } = new URL(address, "http://page");
  const send = (type: string, body: string | Uint8Array): void => {
    response.writeHead(200, { "content-type": type, ...headers }).end(body);
  };
  if (pathname === "/")
    send("text/html", `<!doctype html><meta charset="utf-8"><title>page</title><script src="/program.js"></script>`);
  else if (pathname === "/program.js") send("text/javascript", script);
  else if (files[pathname] !== undefined) send("application/octet-stream", files[pathname]);
  else {
    const bytes = await wasmFile(pathname).catch(() => undefined);
    if (bytes === undefined) response.writeHead(404, headers).end();
    else send("application/wasm", bytes);
  }
}

interface Assembler {
  assemble(variant: { threads: boolean; relaxed: boolean }): Promise<Uint8Array>;
}

/** The files that a build of `@convkit/engine` has beside its modules: tfjs' from its package, ours assembled. */
async function wasmFile(path: string): Promise<Uint8Array | undefined> {
  const name = /^\/wasm\/([a-z-]+\.wasm)$/u.exec(path)?.[1];
  if (name === undefined) return undefined;
  if (name.startsWith("tfjs-")) return readFile(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), name));
  const assembler = new URL("../../../packages/engine/assembly/assemble.mjs", import.meta.url).href;
  const { assemble } = (await import(/* @vite-ignore */ assembler)) as Assembler;
  return assemble({ threads: name.includes("threads"), relaxed: name.includes("relaxed") });
}
