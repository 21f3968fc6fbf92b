import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { options } from "../src/commands/train.ts";
import { flagOf } from "../src/terminal/option.ts";

const page = readFileSync(new URL("../../../docs/guides/several-machines.md", import.meta.url), "utf8");

test("the page on several machines tells of every option of train, each once", () => {
  const tables = page.split("\n").filter((line) => line.startsWith("| `--"));
  const told = tables.flatMap((line) => line.split("|")[1]!.match(/--[a-z-]+/g)!);
  const starting = new Set(["replicas", "restarts"]);
  const names = Object.keys(options).filter((name) => !starting.has(name));
  const known = [...names, "seed", "threads"].map((name) => flagOf(name));
  expect(told.toSorted()).toEqual(known.toSorted());
  for (const name of starting) expect(page).toContain(flagOf(name));
});
