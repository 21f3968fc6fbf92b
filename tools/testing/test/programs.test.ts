import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOfPages } from "../src/blocks.ts";
import { packed, root, run } from "../src/packed.ts";

/** Every block of the site's pages and every project in `examples/`, run from the packed packages in one project of npm. */

const project = mkdtempSync(join(tmpdir(), "convkit-programs-"));
const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
const blocks = blocksOfPages();
const examples = readdirSync(join(root, "examples")).filter((name) =>
  existsSync(join(root, "examples", name, "package.json")),
);

interface Outcome {
  readonly output: string;
  readonly error?: string;
}

let outcomes: readonly Outcome[];

const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  module: "nodenext",
  target: "es2023",
  lib: ["es2023", "dom"],
  skipLibCheck: true,
  types: ["node"],
  typeRoots: [join(modules, "@types")],
  rootDir: ".",
};

beforeAll(async () => {
  const ours = Object.fromEntries([...(await packed())].map(([name, tarball]) => [name, `file:${tarball}`]));
  const others = examples.flatMap((name) => {
    const text = readFileSync(join(root, "examples", name, "package.json"), "utf8");
    return Object.entries((JSON.parse(text) as { dependencies: Record<string, string> }).dependencies);
  });
  const manifest = {
    name: "stranger",
    private: true,
    type: "module",
    dependencies: { ...Object.fromEntries(others), ...ours },
  };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: strict, include: ["*/*.ts"] }));
  // Of all that is installed, only onnxruntime-node has a script: it would download CUDA's libraries.
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], project);
  for (const [index, { page, code }] of blocks.entries()) {
    mkdirSync(join(project, page), { recursive: true });
    if (code !== undefined) writeFileSync(join(project, page, `block-${index}.ts`), code);
  }
  for (const name of examples)
    cpSync(join(root, "examples", name), join(project, `example-${name}`), { recursive: true });
  await run(process.execPath, [join(modules, "typescript/bin/tsc")], project);
  cpSync(fileURLToPath(new URL("../src/run-blocks.mjs", import.meta.url)), join(project, "run-blocks.mjs"));
  const list = blocks.map(({ page, code, lines }, index) => ({
    page,
    lines,
    file: code && `${page}/block-${index}.js`,
  }));
  writeFileSync(join(project, "blocks.json"), JSON.stringify(list));
  await run(process.execPath, ["run-blocks.mjs"], project);
  outcomes = JSON.parse(readFileSync(join(project, "blocks.json"), "utf8")) as readonly Outcome[];
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("blocks of the site", () => {
  test.each(blocks.map((block, index) => ({ ...block, index })))("$title", ({ expected, index }) => {
    const { output, error } = outcomes[index]!;
    expect(error).toBe(undefined);
    for (const line of expected) expect(output).toContain(line);
  });
});

describe("examples", () => {
  test.each(examples)("%s", async (name) => {
    const folder = join(project, `example-${name}`);
    const [command, ...args] = (
      JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { scripts: { start: string } }
    ).scripts.start.split(" ");
    expect(command).toBe("node");
    const output = await run(process.execPath, args, folder);
    for (const line of readFileSync(join(folder, "expected.txt"), "utf8").trimEnd().split("\n")) {
      expect(output).toMatch(new RegExp(line));
    }
  });
});
