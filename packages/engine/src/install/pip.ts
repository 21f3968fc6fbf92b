import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

import { folderBytes } from "./cache.ts";
import { runChild } from "./child.ts";
import { EngineError } from "../engine-error.ts";
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

/** Downloads a wheel into `folder` with pip. Throws an EngineError with pip's reason. */
export async function downloadWithPip(
  wheel: Wheel,
  folder: string,
  {
    signal,
    onBytes,
  }: { signal?: AbortSignal | undefined; onBytes?: ((bytes: number, total: number) => void) | undefined } = {},
): Promise<void> {
  const pip = await findPip();
  if (!pip) {
    throw new EngineError(
      'No Python with pip was found on the PATH: install one (for example "apt install python3-pip"), then run the install again.',
    );
  }
  // pip downloads into TMPDIR first. A TMPDIR of our own shows the progress and can be removed afterwards.
  const temporary = path.join(folder, "pip");
  await mkdir(temporary, { recursive: true });
  let total = 0;
  let most = 0;
  const watch = setInterval(async () => {
    const bytes = await folderBytes(temporary);
    // pip removes its temporary file at the end, and size checks may finish out of order. The reported size must not
    // shrink.
    most = Math.max(most, bytes);
    if (total > 0) onBytes?.(Math.min(most, total), total);
  }, 250);
  try {
    const { code, output } = await runChild(
      pip.command[0],
      [...pip.command.slice(1), ...downloadArguments(wheel, folder)],
      {
        signal,
        env: { ...process.env, TMPDIR: temporary },
        onOutput: (output) => {
          total = announcedBytes(output);
        },
      },
    );
    if (code !== 0) throw downloadError(wheel, output);
  } finally {
    clearInterval(watch);
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The size of the wheel in pip's "Downloading tensorflow_cpu-….whl (273.8 MB)"; 0 before pip prints that line. */
function announcedBytes(output: string): number {
  const [, number, unit] = /Downloading \S+\.whl \(([\d.]+) ([kMG]B)\)/.exec(output) ?? [];
  return Number(number ?? 0) * { kB: 1e3, MB: 1e6, GB: 1e9 }[(unit ?? "MB") as "kB" | "MB" | "GB"];
}

/** Arguments for pip. They name CPython 3.11's tags, so any Python can run pip. */
export function downloadArguments({ project, version, tags }: Wheel, folder: string): string[] {
  const platform = tags.split("-")[2]?.split(".")[0] as string;
  const quick = ["--progress-bar", "off", "--no-deps", "--no-cache-dir", "--retries", "2", "--timeout", "20"];
  const which = [
    "--only-binary=:all:",
    "--platform",
    platform,
    "--python-version",
    "3.11",
    "--implementation",
    "cp",
    "--abi",
    "cp311",
  ];
  return ["download", ...quick, ...which, "--dest", folder, `${project}==${version}`];
}

/** pip says "no matching distribution" if the index lacks the wheel, and also if pip reached no index. */
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
