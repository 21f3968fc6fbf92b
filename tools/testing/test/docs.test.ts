import { existsSync, readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** The TypeScript sources of all packages and apps. */
const sources = ["packages", "apps"].flatMap((group) =>
  readdirSync(new URL(group, root))
    .filter((name) => existsSync(new URL(`${group}/${name}/src`, root)))
    .flatMap((name) =>
      readdirSync(new URL(`${group}/${name}/src`, root), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => `${group}/${name}/src/${file}`),
    ),
);

test("the page of errors lists the code of every class of errors", () => {
  const codes = sources.flatMap((path) => [...text(path).matchAll(/\bcode(?:: \S+)? = "(CONVKIT_[A-Z_]+)"/g)]);
  const names = [...new Set(codes.map(([, code]) => code!))];
  expect(names.length).toBeGreaterThan(8);
  const page = text("docs/errors.md");
  expect(names.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test("the README lists every package", () => {
  const readme = text("README.md");
  const packages = readdirSync(new URL("packages", root)).filter((name) =>
    existsSync(new URL(`packages/${name}/package.json`, root)),
  );
  const link = (name: string): string => `[\`${name === "convkit" ? name : `@convkit/${name}`}\`](packages/${name})`;
  expect(packages.filter((name) => !readme.includes(link(name)))).toEqual([]);
});

test("the index of decisions lists every page", () => {
  const pages = readdirSync(new URL("docs/decisions", root)).filter((name) => name !== "README.md");
  const index = text("docs/decisions/README.md");
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

test.each(
  readdirSync(new URL("packages", root)).filter((name) => existsSync(new URL(`packages/${name}/README.md`, root))),
)("the README of %s has the install line, an example and the codes of its errors", (name) => {
  const readme = text(`packages/${name}/README.md`);
  const published = (JSON.parse(text(`packages/${name}/package.json`)) as { name: string }).name;
  expect(readme).toMatch(new RegExp(`^ {4}npm (i|install) .*${published}|^npm install ${published}`, "m"));
  expect(readme).toContain("```ts\n");
  expect(readme).toMatch(/CONVKIT_[A-Z_]+|OptionError/);
});
