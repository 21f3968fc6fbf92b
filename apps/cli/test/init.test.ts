import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("init writes a project that says how to run it", async () => {
  const root = join(folder, "My Digits");
  const { status, out, err } = await call("init", root, "--json");
  expect(status, err).toBe(0);
  const { written, next } = JSON.parse(out) as { written: string[]; next: string[] };
  expect(written.map((file) => file.slice(root.length + 1))).toEqual([
    "package.json",
    "tsconfig.json",
    ".gitignore",
    "src/data.ts",
    "src/train.ts",
    "src/classify.ts",
  ]);
  expect(written.every((file) => existsSync(file))).toBe(true);
  expect(next.slice(1)).toEqual(expect.arrayContaining([expect.stringMatching(/^(npm|pnpm|yarn|bun) run train$/)]));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    dependencies: object;
  };
  expect(manifest).toMatchObject({ name: "my-digits", dependencies: { convkit: expect.stringMatching(/^\^\d/) } });
});

test("init leaves a folder with files alone, but not a new repository", async () => {
  const full = join(folder, "full");
  mkdirSync(full);
  writeFileSync(join(full, "notes.txt"), "");
  const refused = await call("init", full);
  expect([refused.status, refused.err]).toEqual([
    2,
    `convkit: ${full} is not empty: give the name of a new folder, as in convkit init digits.\n`,
  ]);
  const file = await call("init", join(full, "notes.txt"));
  expect(file.err).toMatch(/notes\.txt is no folder: give the name of a new one/);
  const repository = join(folder, "repository");
  mkdirSync(join(repository, ".git"), { recursive: true });
  expect((await call("init", repository)).status).toBe(0);
});
