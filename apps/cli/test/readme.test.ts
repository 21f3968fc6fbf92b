import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { commands } from "../src/commands/index.ts";
import { call } from "./run-cli.ts";

const readme = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

/** Every command line and every row of the table of commands: its words, as typed after `convkit`. */
const lines = [readme("../README.md"), readme("../../../README.md")].flatMap((text) =>
  [...text.matchAll(/^(?: {4}|\| `)(?:pnpm )?convkit ([^\n]+)/gm)].map(([, line]) => line!),
);

/** The words of the command that a line calls; of `conv\|pool`, the first. */
function commandOf(line: string): string[] {
  const [first = "", second = ""] = line.replaceAll("`", "").split(/\s+/);
  const entry = commands[first];
  if (entry === undefined) throw new Error(`There is no command ${first}.`);
  return "commands" in entry ? [first, second.split("\\|")[0]!] : [first];
}

test("the README counts the networks of its table, which are those of convkit list", async () => {
  const text = readme("../../../README.md");
  const rows = [...text.matchAll(/^\| `([^`]+)`(?:, `[^`]+`)? \| (?:notebook|paper|keras|torchvision|timm) \|/gm)];
  const counts = [...text.matchAll(/(?:It has|All) (\d+) networks/g)].map(([, count]) => Number(count));
  expect(counts).toEqual([rows.length, rows.length]);
  const { status, out } = await call("list", "--json");
  expect(status).toBe(0);
  const listed = (JSON.parse(out) as { readonly name: string }[]).map(({ name }) => name);
  expect(rows.map(([, name]) => name!).toSorted()).toEqual(listed.toSorted());
});

describe("the README knows only options that the command knows", () => {
  test("and has command lines", () => expect(lines.length).toBeGreaterThan(15));
  test.each(lines)("convkit %s", async (line) => {
    const groups = line.startsWith("explain ") || line.startsWith("data ") || line.startsWith("engine ");
    const names = groups && line.includes("\\|") ? line.split(/[\s`]/)[1]!.split("\\|") : [commandOf(line)[1]];
    let help = "";
    for (const name of names) {
      const { status, out, err } = await call(commandOf(line)[0]!, ...(name === undefined ? [] : [name]), "--help");
      expect(status, err).toBe(0);
      help += out;
    }
    const flags = [...line.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
    expect(flags.filter((flag) => !help.includes(flag))).toEqual([]);
  });
});
