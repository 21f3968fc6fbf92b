import Module, { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

type Resolve = (
  this: unknown,
  request: string,
  parent: { filename?: string | null } | undefined,
  ...rest: unknown[]
) => string;

const shared = /^@tensorflow\/tfjs(-core|-layers|-converter|-data|-backend-cpu|-backend-webgl)?(\/|$)/;
const shares = new Set<string>();

/**
 * Makes the tfjs-node in the cache use the program's own tfjs packages, so that one tfjs-core lives in the process: from
 * inside that folder, a tfjs package resolves as it does for this package, else for the working directory; what
 * neither has comes from the folder itself. Requires from elsewhere are left alone.
 */
export function shareTfjs(root: string): void {
  if (shares.has(root)) return;
  shares.add(root);
  const loader = Module as unknown as { _resolveFilename: Resolve };
  const original = loader._resolveFilename;
  const inside = root + path.sep;
  const core = createRequire(import.meta.url).resolve("@tensorflow/tfjs-core");
  const places = [import.meta.url, core, path.join(process.cwd(), "package.json")].map((from) => createRequire(from));
  loader._resolveFilename = function (request, parent, ...rest) {
    if (shared.test(request) && parent?.filename?.startsWith(inside)) {
      for (const { resolve } of places) {
        try {
          return resolve(request);
        } catch {
          // Not to be had from there: the next place may have it.
        }
      }
    }
    return original.call(this, request, parent, ...rest);
  };
}
