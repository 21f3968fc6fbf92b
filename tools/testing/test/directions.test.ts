import { existsSync, readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);

/** Which packages of ours each package may depend on, besides `errors`; the apps may depend on anything. */
const allowed: Record<string, readonly string[]> = {
  errors: [],
  files: [],
  engine: ["files"],
  graph: ["engine"],
  augment: ["core"],
  core: [],
  blocks: ["core"],
  models: ["core", "blocks"],
  weights: ["core", "graph", "files", "augment"],
  datasets: ["core", "files", "augment"],
  trainer: ["core", "graph", "datasets", "weights", "files", "augment", "predict"],
  report: ["trainer", "core", "datasets", "files", "augment"],
  inspect: ["core"],
  convkit: [
    "augment",
    "blocks",
    "cli",
    "core",
    "datasets",
    "engine",
    "graph",
    "inspect",
    "models",
    "predict",
    "report",
    "serve",
    "trainer",
    "weights",
  ],
  predict: ["core", "models", "graph", "weights", "datasets", "engine", "files", "augment"],
  serve: ["core", "graph", "weights", "datasets", "predict"],
};

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const packages = readdirSync(new URL("packages/", root)).filter((name) =>
  existsSync(new URL(`packages/${name}/package.json`, root)),
);

test.each(packages)("packages/%s imports only in the direction of the architecture", (name) => {
  const manifest = JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, root), "utf8")) as Manifest;
  expect(manifest.name).toBe(name === "convkit" ? name : `@convkit/${name}`);
  const ours = [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies]
    .flatMap((dependencies) => Object.keys(dependencies ?? {}))
    .filter((dependency) => dependency.startsWith("@convkit/"))
    .map((dependency) => dependency.slice("@convkit/".length));
  expect(allowed[name], `packages/${name} has no place in the architecture: add it to this table`).toBeDefined();
  // A platform's package holds a binary and imports nothing.
  const free = (dependency: string): boolean => dependency === "errors" || dependency.startsWith("engine-");
  expect(ours.filter((dependency) => !free(dependency) && !allowed[name]?.includes(dependency))).toEqual([]);
});

test.each(packages)("packages/%s reaches nobody's sources past their package's name", (name) => {
  const folder = new URL(`packages/${name}/src/`, root);
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const manifest = JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, root), "utf8")) as Manifest;
  const known = new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
    manifest.name,
  ]);
  const strays = sources.flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(/from "(@convkit\/[^"/]+)/g)]
      .filter(([, imported]) => !known.has(imported ?? ""))
      .map(([, imported]) => `${file}: ${imported}`),
  );
  expect(strays).toEqual([]);
});

test("tsconfig.types.json checks every file that a package's own tsconfig.json checks, with the same settings", () => {
  const read = (path: string): { extends: string; include: string[]; compilerOptions: object } => {
    const text = readFileSync(new URL(path, root), "utf8");
    return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, "")) as ReturnType<typeof read>;
  };
  const all = read("tsconfig.types.json");
  const covered = new Set(
    all.include.flatMap((path) => {
      const [group = "", name = "", ...rest] = path.split("/");
      const names = name === "*" ? readdirSync(new URL(`${group}/`, root)) : [name];
      return names.map((each) => [group, each, ...rest].join("/"));
    }),
  );
  const folders = ["packages", "apps", "tools"].flatMap((group) =>
    readdirSync(new URL(`${group}/`, root)).map((name) => `${group}/${name}`),
  );
  const checked = folders.filter((folder) => existsSync(new URL(`${folder}/tsconfig.json`, root)));
  expect(checked.length).toBeGreaterThan(15);
  for (const folder of checked) {
    const { extends: base, include, compilerOptions } = read(`${folder}/tsconfig.json`);
    expect([folder, base, compilerOptions]).toEqual([folder, "../../tsconfig.base.json", all.compilerOptions]);
    for (const part of include) expect([...covered]).toContain(`${folder}/${part}`);
  }
});
