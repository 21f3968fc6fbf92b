import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withLock } from "@convkit/files";

export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Record<string, string>;
  readonly publishConfig?: { exports?: Record<string, unknown> };
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/** The packages that are published, with their folders. */
export const published = ["packages", "apps", "platforms"]
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((folder) => existsSync(join(folder, "package.json")))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest }))
  .filter(({ manifest }) => manifest.private !== true);

const execute = promisify(execFile);

/** Runs a command and gives its standard output. Throws both outputs if it fails. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    // The runner's NODE_PATH would give a project the packages of this repository.
    const env = { ...process.env, NODE_PATH: "" };
    const { stdout } = await execute(command, args, { cwd, env, maxBuffer: 1 << 28, encoding: "utf8" });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout ?? ""}\n${stderr ?? ""}`, { cause: error });
  }
}

/** The tarball of every published package, by name. The first test file that asks packs them, the others wait for it. */
export async function packed(): Promise<ReadonlyMap<string, string>> {
  const folder = join(process.env["CONVKIT_TEST_PACKED"]!, "tarballs");
  await withLock(`${folder}.lock`, async () => {
    if (!existsSync(folder)) await pack(folder);
  });
  const tarball = (name: string): string => {
    const target = join(folder, name.replace("@convkit/", ""));
    return join(target, readdirSync(target)[0]!);
  };
  return new Map(published.map(({ manifest: { name } }) => [name, tarball(name)]));
}

async function pack(folder: string): Promise<void> {
  const waiting = [...published];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const target = join(`${folder}.new`, next.manifest.name.replace("@convkit/", ""));
      mkdirSync(target, { recursive: true });
      // A platform's package refuses to be packed without its addon, which only a release needs.
      await run("pnpm", ["pack", "--config.ignore-scripts=true", "--pack-destination", target], next.folder);
    }
  };
  await Promise.all([work(), work()]);
  renameSync(`${folder}.new`, folder);
}

/** A package and every package of ours that it needs: none of them is on the registry of the test. */
export function closure(name: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(name)) return [...seen];
  seen.add(name);
  const entry = published.find(({ manifest }) => manifest.name === name);
  const { dependencies, optionalDependencies } = entry?.manifest ?? {};
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (dependency.startsWith("@convkit/")) closure(dependency, seen);
  }
  return [...seen];
}
