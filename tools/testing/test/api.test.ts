import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { apiReport, exportedNames } from "../src/api-report.ts";

const root = fileURLToPath(new URL("../../../packages/", import.meta.url));
const packages = readdirSync(root).filter((name) => existsSync(join(root, name, "src/index.ts")));

test.each(packages)("the public surface of %s is what its api.md says; pnpm api writes it anew", async (name) => {
  await expect(await apiReport(join(root, name))).toMatchFileSnapshot(join(root, name, "api.md"));
});

test.each(packages)("the README of %s mentions every name that it exports", (name) => {
  const readme = readFileSync(join(root, name, "README.md"), "utf8");
  const missing = exportedNames(join(root, name)).filter((each) => !new RegExp(`\\b${each}\\b`).test(readme));
  expect(missing).toEqual([]);
});
