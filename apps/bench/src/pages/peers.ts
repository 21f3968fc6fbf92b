import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "@convkit/files";
import { BenchError } from "../usage-error.ts";

/** What a page is measured beside, and the bundler and the driver of the browser. */
const packages = {
  "@huggingface/transformers": "4.3.2",
  "onnxruntime-web": "1.30.0",
  esbuild: "0.28.2",
  "playwright-core": "1.65.1",
} as const;

/** The folder with the packages of page rows, which npm installs into the cache once. Throws if npm fails. */
export function pagePeers(environment: NodeJS.ProcessEnv = process.env): string {
  const folder = join(cacheRoot(environment), "page-peers");
  const manifest = JSON.stringify({ private: true, dependencies: packages });
  const file = join(folder, "package.json");
  if (existsSync(file) && readFileSync(file, "utf8") === manifest) return folder;
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, "package.json"), manifest);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  const { status } = spawnSync(npm, args, {
    cwd: made,
    stdio: ["ignore", 2, 2],
    env: { ...environment, NODE_OPTIONS: "" },
  });
  if (status !== 0) {
    rmSync(made, { recursive: true });
    throw new BenchError(`npm cannot install ${Object.keys(packages).join(", ")}`);
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  return folder;
}

export const pageVersions: Readonly<Record<string, string>> = {
  "transformers.js": packages["@huggingface/transformers"],
  "onnxruntime-web": packages["onnxruntime-web"],
};
