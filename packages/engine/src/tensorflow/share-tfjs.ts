import { realpathSync } from "node:fs";
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
 * Makes the tfjs-node in the cache use the program's own tfjs packages, so that one tfjs-core lives in the process:
 * from inside that folder, a tfjs package resolves as `resolveShared` finds it for this package, else for the working
 * directory; a package found in neither comes from the folder itself. Requires from other folders do not change.
 */
export function shareTfjs(root: string): void {
  if (shares.has(root)) return;
  shares.add(root);
  const loader = Module as unknown as { _resolveFilename: Resolve };
  const original = loader._resolveFilename;
  const inside = root + path.sep;
  const core = createRequire(import.meta.url).resolve("@tensorflow/tfjs-core");
  const places = [import.meta.url, core, path.join(process.cwd(), "package.json")];
  loader._resolveFilename = function (request, parent, ...rest) {
    const isOurs = shared.test(request) && parent?.filename?.startsWith(inside) === true;
    return (isOurs ? resolveShared(request, core, places) : undefined) ?? original.call(this, request, parent, ...rest);
  };
}

/**
 * Resolves a tfjs package from the first of `places` where the package uses the same `core` (a file of tfjs-core);
 * undefined if none does. An old tfjs that another package installed at the top of node_modules has its own tfjs-core.
 */
export function resolveShared(request: string, core: string, places: readonly string[]): string | undefined {
  if (/^@tensorflow\/tfjs-core(\/|$)/.test(request))
    return resolveFrom(core, request) ?? resolveFrom(places[0]!, request);
  return places
    .map((place) => resolveFrom(place, request))
    .find((file) => file !== undefined && isSame(resolveFrom(file, "@tensorflow/tfjs-core"), core));
}

function resolveFrom(place: string, request: string): string | undefined {
  try {
    return createRequire(place).resolve(request);
  } catch {
    return undefined;
  }
}

/** True for two names of one file. */
function isSame(one: string | undefined, other: string): boolean {
  return one !== undefined && realpathSync(one) === realpathSync(other);
}
