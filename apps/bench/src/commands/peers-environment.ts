import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot } from "@convkit/files";
import { BenchError } from "../usage-error.ts";

/** Where the Python peers' environment is, or would be. */
export function peersFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["CONVKIT_PEERS"] ?? join(cacheRoot(environment), "peers");
}

/** The Python of the peers' environment; undefined if `setup` was not run. */
export function peersPython(folder = peersFolder()): string | undefined {
  const file = join(folder, "bin", "python");
  return existsSync(file) ? file : undefined;
}

/** How to make the environment. */
export interface SetupOptions {
  readonly folder?: string;
  readonly signal?: AbortSignal;
}

/**
 * Makes the peers' environment with venv and pip from a file of pinned requirements. Does nothing if the environment
 * was made from the same file. pip writes its messages to standard error. Throws if Python or pip fails.
 */
export async function setUpPeers(
  requirements: string,
  { folder = peersFolder(), signal }: SetupOptions = {},
): Promise<"made" | "there"> {
  const stamp = join(folder, "requirements.sha256");
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return "there";
  mkdirSync(dirname(folder), { recursive: true });
  rmSync(stamp, { force: true });
  // An environment that works takes the new packages; python3 may be another Python by now, which must not be mixed into it.
  const python = join(folder, "bin", "python");
  const works = existsSync(python) && spawnSync(python, ["-m", "pip", "--version"]).status === 0;
  if (!works) await run("python3", ["-m", "venv", "--clear", folder], signal);
  // Python compiles a file when it is first imported: most of the 14,000 never are.
  const quietly = ["--quiet", "--disable-pip-version-check", "--no-compile"];
  await run(python, ["-m", "pip", "install", ...quietly, "-r", requirements], signal);
  writeFileSync(stamp, wanted);
  return "made";
}

async function run(file: string, args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const child = spawn(file, args, { stdio: ["ignore", 2, 2], ...(signal && { signal }) });
  const failure = await new Promise<string | undefined>((resolve, reject) => {
    child.on("error", (error) => reject(cannotStart(file, error)));
    child.on("close", (code) => resolve(code === 0 ? undefined : `status ${code}`));
  });
  if (failure !== undefined)
    throw new BenchError(`${[file, ...args].join(" ")} failed (${failure}); its own message stands above.`);
}

function cannotStart(file: string, error: NodeJS.ErrnoException): Error {
  const missing = error.code === "ENOENT";
  return new BenchError(
    missing
      ? `There is no ${file} on the PATH: install Python 3 (with venv and pip), or measure without its peers.`
      : `${file} could not be started: ${error.message}.`,
    { cause: error },
  );
}
