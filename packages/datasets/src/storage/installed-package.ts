import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The folder of an npm package, or undefined if it is not installed. */
export type PackageResolver = (name: string) => string | undefined;

/**
 * The folder of the npm package `name`. Tries `resolve`, then the working directory, then this package. The package is
 * never imported: only its data files are read.
 */
export function installedPackage(name: string, resolve?: PackageResolver): string | undefined {
  const working = pathToFileURL(join(process.cwd(), "package.json")).href;
  return resolve?.(name) ?? packagesSeenFrom(working)(name) ?? packagesSeenFrom(import.meta.url)(name);
}

/** Finds packages like the module at `url`: `packagesSeenFrom(import.meta.url)` finds the caller's dependencies. */
export function packagesSeenFrom(url: string): PackageResolver {
  // Not `resolve(name + "/package.json")`: a package may not export this path.
  return (name) =>
    (createRequire(url).resolve.paths(name) ?? [])
      .map((root) => join(root, name))
      .find((folder) => existsSync(join(folder, "package.json")));
}
