import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { root } from "../src/packed.ts";

/** Links between the pages of the repository: their files exist, and so do the headings that they name. Links to the web are not asked. */

const skipped = /(^|\/)(node_modules|dist|results|\.site|\.changeset|\.git|golden|runs)(\/|$)/;

function pagesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (skipped.test(relative(root, path))) return [];
    if (entry.isDirectory()) return pagesIn(path);
    return /(?<!api)\.md$/.test(entry.name) ? [path] : [];
  });
}

const withoutCode = (text: string): string => text.replaceAll(/^ {4}.*$|```[\s\S]*?```|(?<!\[)`[^`\n]*`(?!\])/gm, "");

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-"),
  );
  return new Set(headings);
}

const pages = pagesIn(root);

test("there are pages", () => expect(pages.length).toBeGreaterThan(60));

test.each(pages.map((page) => relative(root, page)))("%s", (page) => {
  const text = withoutCode(readFileSync(join(root, page), "utf8"));
  const markdown = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  const html = [...text.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, target]) => target!);
  const broken = [...markdown, ...html].filter((target) => {
    if (/^(https:|mailto:)/.test(target)) return false;
    const [name = "", anchor] = target.split("#");
    const file = name === "" ? join(root, page) : join(root, dirname(page), name);
    if (!existsSync(file)) return true;
    if (anchor === undefined) return false;
    return statSync(file).isDirectory() || !anchorsOf(file).has(anchor);
  });
  expect(broken).toEqual([]);
});
