import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";

const start = startDirectory();

/**
 * The one folder in which convkit keeps what it fetched or computed: `CONVKIT_CACHE`, else `convkit` in the user's cache
 * (`XDG_CACHE_HOME`; `~/Library/Caches` on macOS, `LOCALAPPDATA` on Windows, `~/.cache` elsewhere). Links are resolved, so that one
 * folder has one name; a relative `CONVKIT_CACHE` lies in the directory in which the process started, whatever `process.chdir` does
 * later.
 */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  return withoutLinks(
    env["CONVKIT_CACHE"] ? resolve(start, env["CONVKIT_CACHE"]) : join(userCache(env, platform), "convkit"),
  );
}

/** The folder of one kind of thing in the cache, such as `data` or `weights`; it may not be there yet. */
export function cacheFolder(kind: string): string {
  return join(cacheRoot(), kind);
}

function userCache(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = env["HOME"] ?? homedir();
  // The specification of XDG tells to ignore paths that are not absolute.
  if (env["XDG_CACHE_HOME"] && isAbsolute(env["XDG_CACHE_HOME"])) return env["XDG_CACHE_HOME"];
  if (platform === "darwin") return join(home, "Library", "Caches");
  if (platform === "win32") return env["LOCALAPPDATA"] ?? join(home, "AppData", "Local");
  return join(home, ".cache");
}

/** The working directory; the root where it was removed, so that only a relative cache is affected. */
function startDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return resolve("/");
  }
}

/** The path with the links resolved of as many folders as are there. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(withoutLinks(parent), basename(path));
  }
}
