import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatPages } from "./format-pages.ts";

const folder = fileURLToPath(new URL("../../../docs/formats", import.meta.url));

// `npx vitest run test/format-pages.test.ts -u` writes them anew.
describe("docs/formats", () => {
  it.each(Object.entries(formatPages))("%s says what the tables of the code say", async (name, page) => {
    await expect(page()).toMatchFileSnapshot(join(folder, name));
  });

  it("has a page for each format, and no other", () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(formatPages).toSorted());
  });
});
