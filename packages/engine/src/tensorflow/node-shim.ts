import { createRequire } from "node:module";

type Util = Record<string, unknown>;

/**
 * tfjs-node 4.22 calls three functions of `node:util` that Node 22 deprecates and Node 23 removed. Restores them
 * without warnings.
 */
export function shimNodeUtil(): void {
  const util = createRequire(import.meta.url)("node:util") as Util;
  util["isNullOrUndefined"] = (value: unknown) => value === null || value === undefined;
  util["isArray"] = Array.isArray;
  util["isString"] = (value: unknown) => typeof value === "string";
}
