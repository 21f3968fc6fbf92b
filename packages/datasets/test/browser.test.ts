import { expect, it } from "vitest";
import * as page from "../src/browser.ts";
import * as node from "../src/index.ts";

it("has the same names in a page as in Node; what touches files refuses there", async () => {
  expect(Object.keys(page).toSorted()).toEqual(Object.keys(node).toSorted());
  await expect(page.imageFolder()).rejects.toThrow(
    /imageFolder works with paths of files, which a web page has none of/u,
  );
  expect(() => page.dataCache()).toThrow(page.DataError);
  expect(Object.keys(page.dataSets)).toEqual([]);
  for (const name of Object.keys(node.dataSets) as node.DataSetName[])
    expect(() => page.dataSets[name]).toThrow(/^dataSets\["[-\w]+"\] works with paths of files/u);
});
