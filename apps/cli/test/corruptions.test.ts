import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { jpeg } from "../src/inference/corrupted-data.ts";

const path = new URL("../../../packages/inspect/test/golden/corruptions.json", import.meta.url);
const golden = JSON.parse(readFileSync(path, "utf8")) as { readonly pixels: string; readonly jpeg: readonly string[] };

test.each([1, 2, 3, 4, 5])("JPEG with severity %i is Pillow's", async (severity) => {
  const pixels = new Uint8Array(Buffer.from(golden.pixels, "base64"));
  const made = await jpeg(severity)(pixels, [40, 44, 3], 0);
  // The script keeps every 17th value.
  const wanted = [...Buffer.from(golden.jpeg[severity - 1]!, "base64")];
  expect(wanted).toHaveLength(Math.ceil(pixels.length / 17));
  expect([...made].filter((_, i) => i % 17 === 0)).toEqual(wanted);
});
