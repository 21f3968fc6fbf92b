import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The folder of an npm package, or undefined where it is not installed. */
export type PackageResolver = (name: string) => string | undefined;

/**
 * The folder of the npm package `name`: as `resolve` finds it, else as seen from the working directory, else from this
 * package. The package is never imported: only its data files are read.
 */
export function installedPackage(name: string, resolve?: PackageResolver): string | undefined {
  const working = pathToFileURL(join(process.cwd(), "package.json")).href;
  return resolve?.(name) ?? packagesSeenFrom(working)(name) ?? packagesSeenFrom(import.meta.url)(name);
}

/** Finds packages as the module at `url` would: `packagesSeenFrom(import.meta.url)` finds the caller's dependencies. */
export function packagesSeenFrom(url: string): PackageResolver {
  // Not `resolve(name + "/package.json")`: a package may export no such path.
  return (name) =>
    (createRequire(url).resolve.paths(name) ?? [])
      .map((root) => join(root, name))
      .find((folder) => existsSync(join(folder, "package.json")));
}
