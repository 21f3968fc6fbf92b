import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The folder that relative paths start from: `pnpm convkit` in a checkout runs in the checkout's root, not in the
 * user's folder.
 */
export function userFolder(env: NodeJS.ProcessEnv = process.env, folder: string = process.cwd()): string {
  const root = resolve(fileURLToPath(new URL("../../../..", import.meta.url)));
  const byScript = env["npm_lifecycle_event"] === "convkit" && resolve(folder) === root;
  return byScript ? (env["INIT_CWD"] ?? folder) : folder;
}

/** The absolute path for a path that the user typed. */
export function userPath(path: string): string {
  return resolve(userFolder(), path);
}
