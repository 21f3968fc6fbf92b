import { execSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BenchError } from "../usage-error.ts";

interface Manifest {
  readonly name: string;
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>;
  readonly files?: readonly string[];
  readonly publishConfig?: { readonly exports?: unknown };
}

/** A project whose `node_modules` holds packages as npm would install them. */
export interface Project {
  readonly folder: string;
  /** Folders of the packages that `roots` need, and of theirs. */
  packagesOf(roots: readonly string[]): readonly string[];
}

/** Lays out what predictions need: our packages built, the others linked. */
export function layOutProject(folder: string, roots: readonly string[], isBuilt: boolean): Project {
  const modules = join(folder, "node_modules");
  const found = new Map<string, { readonly from: string; readonly manifest: Manifest }>();
  const collect = (name: string, user: string): void => {
    if (found.has(name)) return;
    const from = folderOf(name, user);
    // What is for another platform is not there.
    if (from === undefined) return;
    const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as Manifest;
    found.set(name, { from, manifest });
    for (const each of dependenciesOf(manifest)) collect(each, from);
  };
  for (const root of roots) collect(root, dirname(fileURLToPath(import.meta.url)));
  for (const [name, { from, manifest }] of found) {
    const target = join(modules, name);
    mkdirSync(dirname(target), { recursive: true });
    if (!name.startsWith("@convkit/")) symlinkSync(from, target);
    else {
      if (!isBuilt) build(from, manifest);
      copyPacked(from, target, manifest);
    }
  }
  return {
    folder,
    packagesOf(wanted) {
      const names = new Set<string>();
      const add = (name: string): void => {
        if (names.has(name) || !found.has(name)) return;
        names.add(name);
        dependenciesOf(found.get(name)!.manifest).forEach(add);
      };
      wanted.forEach(add);
      return [...names].map((name) => realpathSync(join(modules, name)));
    },
  };
}

function dependenciesOf(manifest: Manifest): string[] {
  const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])];
}

/** The folder of a package that another one sees. */
function folderOf(name: string, user: string): string | undefined {
  const places = createRequire(join(user, "package.json")).resolve.paths(name) ?? [];
  const place = places.find((each) => existsSync(join(each, name, "package.json")));
  return place === undefined ? undefined : realpathSync(join(place, name));
}

/** Runs the package's own build script, as a release does. */
function build(from: string, { name, scripts }: Manifest): void {
  if (scripts?.["build"] === undefined) return;
  const path = [join(from, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
  try {
    execSync(scripts["build"], { cwd: from, env: { ...process.env, PATH: path }, stdio: "ignore" });
  } catch (error) {
    throw new BenchError(`${name} cannot be built; footprint runs from a checkout.`, { cause: error });
  }
}

/** A package of ours as its tarball would be unpacked. */
function copyPacked(from: string, target: string, manifest: Manifest): void {
  mkdirSync(target);
  for (const name of manifest.files ?? [])
    if (existsSync(join(from, name))) cpSync(join(from, name), join(target, name), { recursive: true });
  writeFileSync(
    join(target, "package.json"),
    JSON.stringify({ ...manifest, ...manifest.publishConfig, type: "module" }),
  );
}
