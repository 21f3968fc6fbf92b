import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packed.ts";

/** A block of code in a page of the site: TypeScript, or lines that call the command, and lines of what it prints. */
export interface Block {
  readonly title: string;
  /** The page's folder for files. */
  readonly page: string;
  readonly code?: string;
  readonly lines?: readonly string[];
  readonly expected: readonly string[];
}

/** Every ```ts block of a text. */
export function typescriptIn(text: string): readonly string[] {
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");
}

/** The blocks of the pages in `docs/`. A block that the README of the repository has too is left to the README's own test. */
export function blocksOfPages(): readonly Block[] {
  const front = typescriptIn(readFileSync(join(root, "README.md"), "utf8"));
  return ["index.md", "errors.md", "guides", "lessons", "migration"]
    .flatMap((name) =>
      name.endsWith(".md") ? name : readdirSync(join(root, "docs", name)).map((page) => `${name}/${page}`),
    )
    .flatMap((name) => blocksOf(name, readFileSync(join(root, "docs", name), "utf8")))
    .filter(({ code }) => code === undefined || !front.includes(code));
}

function blocksOf(name: string, text: string): readonly Block[] {
  const found: Block[] = [];
  const page = name.replace(".md", "").replaceAll("/", "-");
  for (const [, language, code = ""] of text.matchAll(/```(\w*)\n([\s\S]*?)```/g)) {
    const title = `docs/${name}, block ${found.length + 1}`;
    if (language === "ts") found.push({ title, page, code, expected: [] });
    if (language === "sh") found.push({ title, page, lines: commandsIn(title, code), expected: [] });
    if (language === "text") found.push({ ...found.pop()!, expected: code.trimEnd().split("\n") });
  }
  return found;
}

function commandsIn(title: string, code: string): readonly string[] {
  const lines = code.split("\n").filter((line) => line.trim() !== "");
  const others = lines.filter((line) => !line.startsWith("npx convkit "));
  if (others.length > 0) throw new Error(`${title}: expected lines that begin with "npx convkit", got ${others[0]}`);
  return lines;
}
