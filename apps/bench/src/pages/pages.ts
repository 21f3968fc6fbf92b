import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rawPixels } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import { layOutProject } from "../footprint/project.ts";
import { machine } from "../results/machine.ts";
import { quantile } from "../results/statistics.ts";
import { BenchError, UsageError } from "../usage-error.ts";
import { pagePeers, pageVersions } from "./peers.ts";

/** Options of `convkit-bench pages`. */
export interface PagesOptions {
  readonly rounds?: number;
  readonly runs?: number;
  readonly systems?: readonly string[];
  /** False takes the built packages as they are. */
  readonly build?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

/** The times of one system in the page. */
export interface PageRow {
  readonly network: string;
  readonly system: PageSystem;
  /** Milliseconds of an answer for one image, one thread: the median, and the fastest, which other work changes least. */
  readonly median?: number;
  readonly fastest?: number;
  readonly version?: string | undefined;
  readonly note?: string;
}

export const pageSystems = ["convkit", "onnxruntime-web", "transformers.js"] as const;
export type PageSystem = (typeof pageSystems)[number];

const network = "resnet18";
const bench = fileURLToPath(new URL("../../", import.meta.url));

/** What the page answers. */
interface Answer {
  readonly times: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly agent: string;
}

/** `page/<network>`: one image on one thread of WebAssembly, with all systems in one page, in turns. */
export async function pages(options: PagesOptions): Promise<void> {
  const unknown = options.systems?.filter((each) => !(pageSystems as readonly string[]).includes(each)) ?? [];
  if (unknown.length > 0) throw new UsageError(`The systems are ${pageSystems.join(", ")}; got ${unknown.join(", ")}.`);
  const wanted = pageSystems.filter((each) => options.systems?.includes(each) ?? true);
  const peers = pagePeers();
  const folder = mkdtempSync(join(tmpdir(), "convkit-pages-"));
  try {
    layOutProject(
      folder,
      ["@convkit/predict", "@tensorflow/tfjs-core", "@tensorflow/tfjs-layers"],
      options.build === false,
    );
    for (const name of ["@huggingface", "onnxruntime-web"])
      symlinkSync(join(peers, "node_modules", name), join(folder, "node_modules", name));
    await writeModels(folder);
    const script = await bundled(folder, peers);
    const { times, outputs, agent } = await answerOf(folder, peers, script, {
      network,
      wanted,
      rounds: options.rounds ?? 5,
      runs: options.runs ?? 10,
    });
    const rows = pageRows(wanted, { times, outputs });
    const kilobytes = gzipSync(script).length / 1000;
    const result = { machine: machine(), browser: agent, loadAverage: loadavg()[0], bundle: kilobytes, rows };
    if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(result, undefined, 2)}\n`);
    process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : pagesTable(rows));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The row of each system; one whose outputs are not those of the first has a note in place of times. */
export function pageRows(wanted: readonly PageSystem[], { times, outputs }: Omit<Answer, "agent">): PageRow[] {
  const expected = outputs[wanted[0]!]!;
  return wanted.map((system): PageRow => {
    const own = outputs[system]!;
    const difference =
      own.length === expected.length
        ? Math.max(...own.map((value, at) => Math.abs(value - expected[at]!)))
        : Number.NaN;
    if (!(difference < 1e-3)) return { network, system, note: `its outputs differ by ${difference.toPrecision(2)}` };
    const [median, fastest] = [quantile([...times[system]!], 0.5), Math.min(...times[system]!)];
    return { network, system, median, fastest, version: pageVersions[system] };
  });
}

/** One network for all: our file, and an ONNX file with the settings that transformers.js looks for. */
async function writeModels(folder: string): Promise<void> {
  await useEngine();
  const models = join(folder, "models", network);
  mkdirSync(join(models, "onnx"), { recursive: true });
  const model = createModel(network, { seed: 1, logits: true });
  await saveModel(model, join(models, `${network}.keras`), { metadata: { preprocessing: rawPixels } });
  await saveModel(model, join(models, "onnx/model.onnx"), { metadata: { preprocessing: rawPixels } });
  model.dispose();
  writeFileSync(join(models, "config.json"), JSON.stringify({ model_type: "resnet", architectures: ["ResNetModel"] }));
}

interface Esbuild {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly contents: Uint8Array }[] }>;
}

/** The page's program as one minified script. */
async function bundled(folder: string, peers: string): Promise<Uint8Array> {
  const { build } = createRequire(join(peers, "package.json"))("esbuild") as Esbuild;
  const contents = readFileSync(join(bench, "programs/page.mjs"), "utf8");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, loader: "js" },
    bundle: true,
    write: false,
    minify: true,
    platform: "browser",
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
    preserveSymlinks: true,
  });
  return outputFiles[0]!.contents;
}

interface Playwright {
  readonly chromium: {
    launch(options: object): Promise<{
      newPage(): Promise<{
        goto(address: string): Promise<unknown>;
        setDefaultTimeout(milliseconds: number): void;
        evaluate<T>(work: string): Promise<T>;
      }>;
      close(): Promise<void>;
    }>;
  };
}

/** Opens the page in Chromium and runs it. */
async function answerOf(folder: string, peers: string, script: Uint8Array, request: object): Promise<Answer> {
  const server = serve(folder, peers, script);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { chromium } = createRequire(join(peers, "package.json"))("playwright-core") as Playwright;
  const executablePath = process.env["CONVKIT_CHROMIUM"] ?? "/usr/bin/chromium";
  const browser = await chromium
    .launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] })
    .catch((error: unknown) => {
      throw new BenchError(`Chromium does not start; CONVKIT_CHROMIUM names its program: ${(error as Error).message}`);
    });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate<Answer>(`import("/page.js").then(({ run }) => run(${JSON.stringify(request)}))`);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

function serve(folder: string, peers: string, script: Uint8Array): Server {
  const folders: Readonly<Record<string, string>> = {
    models: join(folder, "models"),
    convkit: join(folder, "node_modules/@convkit/engine/dist/wasm"),
    onnxruntime: join(peers, "node_modules/onnxruntime-web/dist"),
    // transformers.js brings an ONNX Runtime Web of its own.
    transformers: join(peers, "node_modules/@huggingface/transformers/node_modules/onnxruntime-web/dist"),
  };
  return createServer(({ url = "/" }, response) => {
    const path = decodeURIComponent(new URL(url, "http://page").pathname);
    const [, first = "", rest = ""] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
    try {
      const body =
        path === "/"
          ? `<!doctype html><meta charset="utf-8"><title>page</title>`
          : path === "/page.js"
            ? script
            : readFileSync(join(folders[first]!, rest));
      response
        .writeHead(200, { "content-type": types[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream" })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
}

/** A table in Markdown. */
export function pagesTable(rows: readonly PageRow[]): string {
  const shown = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(0));
  const lines = rows.map(
    ({ network: name, system, median, fastest, version = "", note = "" }) =>
      `| ${name} | ${[system, version].filter(Boolean).join(" ")} | ${shown(median)} | ${shown(fastest)} | ${note} |`,
  );
  return `${["| network | system | ms, median | ms, fastest | |", "|---|---|--:|--:|---|", ...lines].join("\n")}\n`;
}
