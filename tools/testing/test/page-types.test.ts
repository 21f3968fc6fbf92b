import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const packages = new URL("../../../packages/", import.meta.url);
const pairs = readFileSync(new URL("page-types.ts", import.meta.url), "utf8");

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly browser?: string; readonly default: string }>>;
}

test.each(readdirSync(packages))("page-types.ts compares each entry of %s that is another in a page", (name) => {
  const { exports } = JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), "utf8")) as Manifest;
  const listed = [...pairs.matchAll(/ from "\.\.\/\.\.\/\.\.\/packages\/([^"]+)";/gu)].map(([, path]) => path!);
  const wanted = Object.values(exports).flatMap((entry) =>
    typeof entry === "object" && entry.browser !== undefined ? [entry.default, entry.browser] : [],
  );
  expect(listed.filter((path) => path.startsWith(`${name}/`))).toEqual(wanted.map((path) => `${name}${path.slice(1)}`));
});
