import * as fc from "fast-check";
import { deflateRawSync, deflateSync } from "node:zlib";
import { expect, it } from "vitest";
import * as page from "../src/browser.ts";
import * as node from "../src/index.ts";
import * as nodePlatform from "../src/platform/node.ts";
import * as pagePlatform from "../src/platform/page.ts";

it("has the same names in a page as in Node; what works with paths of the disk refuses there", async () => {
  expect(Object.keys(page).toSorted()).toEqual(Object.keys(node).toSorted());
  expect(Object.keys(pagePlatform).toSorted()).toEqual(Object.keys(nodePlatform).toSorted());
  await expect(page.convert()).rejects.toThrow(/convert: works with files of the disk, which a web page has none of/u);
});

it("unpacks in a page what zlib packed, up to the limit, and refuses it if a byte of it changed or is missing", () => {
  // Runs and noise, so that some blocks are stored, and some packed; 200 kB are several of the pieces that are unpacked at once.
  const content = fc
    .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 200_000 }))
    .map(([head, run]) => {
      const whole = new Uint8Array(head.length + run).fill(7);
      whole.set(head);
      return whole;
    });
  fc.assert(
    fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (plain, place, change) => {
      const [raw, packed] = [deflateRawSync(plain), deflateSync(plain)];
      const limit = Math.max(1, plain.length);
      expect(Buffer.compare(pagePlatform.inflateRaw(raw, limit), plain)).toBe(0);
      expect(Buffer.compare(pagePlatform.inflate(packed, limit), plain)).toBe(0);
      if (plain.length > 1) expect(() => pagePlatform.inflate(packed, plain.length - 1)).toThrow(/more than/u);
      expect(() => pagePlatform.inflate(packed.subarray(0, -1 - (place % packed.length)), limit)).toThrow(Error);
      const damaged = Uint8Array.from(packed);
      damaged[packed.length - 1 - (place % 4)]! ^= change;
      expect(() => pagePlatform.inflate(damaged, limit)).toThrow(/checksum/u);
    }),
    { numRuns: 12 },
  );
});

it("refuses two files of one name, of which only one could be read", async () => {
  const files = ["net.json", "net.bin", "net.bin"].map((name, index) => new File([Uint8Array.of(index)], name));
  await expect(node.loadModel(files)).rejects.toThrow(
    '(files): two of them are called "net.bin": give the files of one folder',
  );
});
