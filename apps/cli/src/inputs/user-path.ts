import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that relative paths are meant from. `pnpm convkit` in a checkout runs in its root, wherever it was typed. */
export function userFolder(env: NodeJS.ProcessEnv = process.env, folder: string = process.cwd()): string {
  const root = resolve(fileURLToPath(new URL("../../../..", import.meta.url)));
  const byScript = env["npm_lifecycle_event"] === "convkit" && resolve(folder) === root;
  return byScript ? (env["INIT_CWD"] ?? folder) : folder;
}

/** A path as the user meant it. */
export function userPath(path: string): string {
  return resolve(userFolder(), path);
}
