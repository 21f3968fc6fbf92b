import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { typescriptIn } from "../src/blocks.ts";
import { engines, peerPython, runPeer } from "../src/index.ts";
import { findChromium } from "../src/chromium.ts";
import { closure, type Manifest, packed, published, root, run } from "../src/packed.ts";
import { bundledPages } from "../src/page-bundles.ts";

/** Each package as a stranger gets it: packed, checked, installed alone into an empty project, every example of its README run. */

const executablePath = findChromium();
const scratch = mkdtempSync(join(tmpdir(), "convkit-packing-"));
let tarballs: ReadonlyMap<string, string> = new Map();

/** True for a package that programs import. */
const isLibrary = ({ publishConfig }: Manifest): boolean => publishConfig?.exports?.["."] !== undefined;

/** What the README tells to install: `npm install @convkit/x …`. */
function installLine(readme: string): readonly string[] {
  return (
    /npm (?:i|install) (.+)/
      .exec(readme)?.[1]
      ?.split(/\s+/)
      .filter((word) => /^[@a-z]/.test(word)) ?? []
  );
}

/** The packages of an install line, ours as their tarballs. */
function dependenciesOf(line: readonly string[]): Record<string, string> {
  const version = (name: string): string => (tarballs.has(name) ? `file:${tarballs.get(name)}` : "*");
  return Object.fromEntries(line.map((name) => [name, version(name)]));
}

/** What a project must know of our packages, which are not on the registry: the tarball of each one that `line` needs. */
function overridesFor(line: readonly string[]): Record<string, string> {
  return dependenciesOf([...new Set(line.flatMap((name) => closure(name)).filter((name) => tarballs.has(name)))]);
}

const stranger = { name: "stranger", private: true, type: "module" };

/** An empty project in which a stranger has typed the README's install line. */
function project(manager: "npm" | "pnpm", name: string, readme: string): string {
  const folder = join(scratch, `${manager}-${name.replace("@convkit/", "")}`);
  mkdirSync(folder, { recursive: true });
  const line = installLine(readme);
  const ours = overridesFor(line);
  const overrides = Object.fromEntries(Object.entries(ours).filter(([dependency]) => !line.includes(dependency)));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ ...stranger, dependencies: dependenciesOf(line), overrides }),
  );
  if (manager === "pnpm") {
    const lines = Object.entries(ours).map(([dependency, file]) => `  "${dependency}": "${file}"\n`);
    writeFileSync(
      join(folder, "pnpm-workspace.yaml"),
      // No install script may be there: pnpm would end with an error.
      `packages: ["."]\noverrides:\n${lines.join("")}strictDepBuilds: true\n`,
    );
  }
  return folder;
}

async function install(manager: "npm" | "pnpm", folder: string, ...flags: readonly string[]): Promise<void> {
  if (manager === "npm") await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...flags], folder);
  else await run("pnpm", ["install", "--prefer-offline", "--no-frozen-lockfile"], folder);
}

beforeAll(async () => {
  tarballs = await packed();
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
const tool = (name: string, file: string): string => join(modules, name, file);

/** Every ```ts block of a README, as the files of a project; each is a program of its own. */
function examplesOf(readme: string): ReadonlyMap<string, string> {
  return new Map(typescriptIn(readme).map((code, index) => [`example-${index + 1}`, code]));
}

/** Files that examples name and that a user would have downloaded; false if this machine cannot make one. */
function prepareFiles(folder: string, code: string): boolean {
  for (const [, file] of code.matchAll(/"(resnet18-\w+\.pth)"/g)) {
    if (peerPython === undefined) return false;
    runPeer("import sys, torch, torchvision; torch.save(torchvision.models.resnet18().state_dict(), sys.argv[1])", [
      join(folder, file!),
    ]);
  }
  const needsNative = /useEngine\("native"\)|installEngine\(/.test(code);
  return !needsNative || engines.includes("native");
}

const strictTypes = (names: readonly string[]) => ({
  compilerOptions: {
    // The strictest that users set: all of "tsc --init", and more.
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noPropertyAccessFromIndexSignature: true,
    noUncheckedSideEffectImports: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023", "dom"],
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(modules, "@types")],
    outDir: "out",
    rootDir: ".",
  },
  files: [...names.map((name) => `${name}.ts`), "required.cts"],
});

/**
 * Checks a project with TypeScript 5.9, too, and the declarations of every package of ours with both: only tfjs' own declarations,
 * and TypeScript's where those of tfjs contradict them, may have errors.
 */
async function checkDeclarations(project: string): Promise<void> {
  await run(process.execPath, [tool("typescript-5", "bin/tsc"), "--noEmit"], project);
  for (const typescript of ["typescript-5", "typescript"]) {
    const checking = [tool(typescript, "bin/tsc"), "--noEmit", "--skipLibCheck", "false", "--pretty", "false"];
    const said = await run(process.execPath, checking, project).catch(({ message }: Error) => message);
    const errors = said.split("\n").filter((line) => /^\S.*\(\d+,\d+\): error/.test(line));
    expect(errors.filter((line) => !/@tensorflow\/|@webgpu\/|\/lib\.[\w.]+\.d\.ts\(/.test(line))).toEqual([]);
  }
}

/** What `convkit playground` of an installed package serves. */
async function pageOf(cli: string): Promise<string> {
  const command = [join(cli, "bin/convkit.js"), "playground", "--port", "0", "--json"];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [printed] = (await once(child.stdout, "data")) as [Buffer];
    const { url } = JSON.parse(String(printed)) as { url: string };
    const response = await fetch(url);
    return await response.text();
  } finally {
    child.kill();
  }
}

/** The files of a tarball. */
async function contents(tarball: string): Promise<string[]> {
  return (await run("tar", ["-tzf", tarball], root)).trim().split("\n");
}

test("importing convkit loads the package of errors and nothing else; a call loads the package of its function", async () => {
  const folder = join(scratch, "import-graph");
  for (const name of ["convkit", "@convkit/errors"]) {
    const target = join(folder, "node_modules", name);
    mkdirSync(target, { recursive: true });
    await run("tar", ["-xzf", tarballs.get(name) ?? "", "-C", target, "--strip-components=1"], root);
  }
  // The package of errors finds a mistyped option's nearest name by a package of 2 KB.
  cpSync(join(root, "packages/errors/node_modules/leven"), join(folder, "node_modules/leven"), {
    recursive: true,
    dereference: true,
  });
  // No other package is there, so what would load TensorFlow, sharp, the charts or a native addon fails.
  const program = `
    import * as convkit from "convkit";
    const failure = await Promise.resolve().then(() => convkit.chain([])).catch(({ code, message }) => code + " " + message);
    console.log(JSON.stringify({ names: Object.keys(convkit), failure }));`;
  writeFileSync(join(folder, "program.mjs"), program);
  const { names, failure } = JSON.parse(await run(process.execPath, ["program.mjs"], folder)) as {
    names: string[];
    failure: string;
  };
  expect(names).toEqual(expect.arrayContaining(["createModel", "train", "classify", "useEngine"]));
  expect(failure).toMatch(/^MODULE_NOT_FOUND .*@convkit\/core/);
});

/** Libraries and commands: all that is published but the addons of single platforms. */
const installable = published
  .filter(({ folder }) => !folder.includes("/platforms/"))
  .map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest }));

/** What the README of a package tells to install. */
const lineOf = (folder: string): readonly string[] => installLine(readFileSync(join(folder, "README.md"), "utf8"));

// Each workspace is a project with a tree of its own, as "nested" asks for: in a shared one, npm does not see a conflict of peers where another
// project's packages stand in for the missing one. All of them in one process look each package up once.
test("npm can make the tree of packages of each install line", async () => {
  const folder = join(scratch, "npm-trees");
  const short = (name: string): string => name.replace("@convkit/", "");
  for (const { name, folder: source } of installable) {
    mkdirSync(join(folder, short(name)), { recursive: true });
    const manifest = { ...stranger, name: `stranger-${short(name)}`, dependencies: dependenciesOf(lineOf(source)) };
    writeFileSync(join(folder, short(name), "package.json"), JSON.stringify(manifest));
  }
  const overrides = overridesFor(installable.map(({ name }) => name));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...stranger, workspaces: ["*"], overrides }));
  await install("npm", folder, "--package-lock-only", "--install-strategy=nested");
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dependencies?: object; resolved?: string }>;
  };
  for (const { name, folder: source } of installable) {
    expect(Object.keys(packages[short(name)]?.dependencies ?? {}).toSorted()).toEqual(lineOf(source).toSorted());
    expect(packages[`${short(name)}/node_modules/${name}`]?.resolved, name).toMatch(/^file:.*\.tgz$/);
  }
});

describe.each(published.map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest })))(
  "$name as packed",
  ({ name, folder }) => {
    test("holds its licence and README, and no source map, since it holds no source", async () => {
      const files = await contents(tarballs.get(name) ?? "");
      expect(files).toEqual(expect.arrayContaining(["package/LICENSE", "package/README.md", "package/package.json"]));
      expect(files.filter((file) => /\.map$|\/(test|src)\//.test(file))).toEqual([]);
    });

    test("has no install script", () => {
      const { scripts = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        scripts?: Record<string, string>;
      };
      expect(Object.keys(scripts).filter((script) => /^(pre|post)?install$|^prepare$/.test(script))).toEqual([]);
    });
  },
);

describe.each(installable)("$name", ({ name, folder, manifest }) => {
  // Both in this process: loading TypeScript takes most of the time of a process of its own.
  test("passes publint and attw as packed", async () => {
    const tarball = new Uint8Array(readFileSync(tarballs.get(name) ?? ""));
    const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
    expect(messages.filter(({ type }) => type !== "suggestion")).toEqual([]);
    if (!isLibrary(manifest)) return;
    const analysis = await checkPackage(createPackageFromTarballData(tarball));
    expect(analysis.types).toMatchObject({ kind: "included" });
    const problems = analysis.types === false ? [] : analysis.problems;
    // The packages are ES modules alone; so attw's profile "esm-only" leaves these two out.
    const others = ["node10", "node16-cjs"];
    expect(problems.filter((each) => !("resolutionKind" in each && others.includes(each.resolutionKind)))).toEqual([]);
  });

  test.each(name === "convkit" ? (["npm", "pnpm"] as const) : (["pnpm"] as const))(
    "installs alone with %s, and every example of its README compiles, and runs with pnpm",
    async (manager) => {
      const readme = readFileSync(join(folder, "README.md"), "utf8");
      expect(installLine(readme), "README.md has an install line").toContain(name);
      const stranger = project(manager, name, readme);
      await install(manager, stranger);
      if (manifest.bin !== undefined) {
        const [bin] = Object.keys(manifest.bin);
        const help = await run(
          process.execPath,
          [join(stranger, "node_modules", name, manifest.bin[bin ?? ""] ?? ""), "--help"],
          stranger,
        );
        expect(help).toContain(bin);
        if (name === "@convkit/cli") expect(await pageOf(join(stranger, "node_modules", name))).toContain("playground");
      }
      if (!isLibrary(manifest)) return;
      if (name === "convkit") {
        const bin = join(stranger, "node_modules/convkit/bin/convkit.js");
        await run(process.execPath, [bin, "init", "project"], stranger);
        const types = ["--typeRoots", join(modules, "@types")];
        await run(process.execPath, [tool("typescript", "bin/tsc"), "-p", "project", ...types], stranger);
      }
      // The front page of the repository shows this package.
      const front = name === "convkit" ? readFileSync(join(root, "README.md"), "utf8") : "";
      const examples = examplesOf(front + readme);
      expect([...examples.values()].join(""), "README.md has a ```ts example").toContain(name);
      for (const [file, code] of examples) writeFileSync(join(stranger, `${file}.ts`), code);
      // From CommonJS: every Node that convkit runs on gives an ES module to "require".
      const required = `import required = require("${name}");\nif (Object.keys(required).length === 0) throw new Error("empty");\n`;
      writeFileSync(join(stranger, "required.cts"), required);
      writeFileSync(join(stranger, "tsconfig.json"), JSON.stringify(strictTypes([...examples.keys()])));
      await run(process.execPath, [tool("typescript", "bin/tsc")], stranger);
      if (manager === "npm") await checkDeclarations(stranger);
      expect(await run(process.execPath, ["out/required.cjs"], stranger)).toBe("");
      // What runs in pnpm's strict tree of packages runs in npm's flat one, too.
      if (manager === "npm") return;
      for (const [file, code] of examples)
        if (prepareFiles(stranger, code)) await run(process.execPath, [`out/${file}.js`], stranger);
    },
  );

  if (name !== "convkit") return;
  test.skipIf(executablePath === undefined)("bundles for web pages with Vite and webpack, and runs there", async () => {
    const project = join(scratch, "pnpm-convkit");
    const entries = { vite: "dist/node/index.js", webpack: "lib/index.js" };
    const tool = (name: keyof typeof entries): string => pathToFileURL(join(modules, name, entries[name])).href;
    const pages = await bundledPages(project, { executablePath: executablePath!, tool });
    for (const [bundle, { asked, ...told }] of Object.entries(pages)) {
      const isIsolated = bundle.endsWith("isolated");
      expect({ bundle, ...told }).toEqual({
        bundle,
        name: "wasm",
        threads: isIsolated ? 2 : 1,
        isIsolated,
        classes: ["a", "b"],
        shape: [4, 5, 3],
      });
      expect(asked![0]).toHaveLength(3);
      expect(asked![0]!.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      for (const [at, score] of asked![1]!.entries()) expect(score).toBeCloseTo(asked![0]![at]!, 5);
    }
    expect(Object.keys(pages)).toHaveLength(4);
    expect(pages["webpack"]!.asked).toEqual(pages["vite"]!.asked);
  });
});
