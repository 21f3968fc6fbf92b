import { expect, it } from "vitest";
import * as page from "../src/browser.ts";
import * as node from "../src/index.ts";

it("has the same names in a page as in Node; what touches files refuses there", async () => {
  expect(Object.keys(page).toSorted()).toEqual(Object.keys(node).toSorted());
  await expect(page.imageFolder()).rejects.toThrow(
    /imageFolder works with paths of files, which a web page has none of/u,
  );
  expect(() => page.dataCache()).toThrow(page.DataError);
});
