import { createHash } from "node:crypto";
import { posix } from "node:path";
import { crc32 } from "node:zlib";
import { array, assert, boolean, constantFrom, property, string, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import * as page from "../src/browser.ts";
import * as node from "../src/index.ts";
import * as nodeSystem from "../src/system/node.ts";
import * as pageSystem from "../src/system/page.ts";

/** Names between single slashes: for doubled ones Node has rules of its own. */
const path = tuple(
  boolean(),
  array(constantFrom(".", "..", "a", "b.c", ".d", "e.", "..f", "ü x"), { minLength: 1, maxLength: 5 }),
).map(([isAbsolute, names]) => `${isAbsolute ? "/" : ""}${names.join("/")}`);

describe("in a web page", () => {
  it("there are the names that Node has", () => {
    expect(Object.keys(page).toSorted()).toEqual(Object.keys(node).toSorted());
    expect(Object.keys(pageSystem).toSorted()).toEqual(Object.keys(nodeSystem).toSorted());
  });

  it("paths are taken apart and joined as Node does", () => {
    assert(
      property(path, path, (one, two) => {
        expect(pageSystem.dirname(one)).toBe(posix.dirname(one));
        expect(pageSystem.basename(one)).toBe(posix.basename(one));
        expect(pageSystem.basename(one, ".c")).toBe(posix.basename(one, ".c"));
        expect(pageSystem.extname(one)).toBe(posix.extname(one));
        expect(pageSystem.join(one, two)).toBe(posix.join(one, two));
      }),
      { numRuns: 300 },
    );
  });

  it("checksums are Node's", () => {
    assert(
      property(uint8Array({ maxLength: 200 }), string(), (bytes, text) => {
        const [whole, before] = [crc32(Buffer.concat([Buffer.from(text), bytes])), crc32(text)];
        for (const system of [pageSystem, nodeSystem]) {
          expect(system.crc32(bytes)).toBe(crc32(Buffer.from(bytes)));
          expect(system.crc32(bytes, before)).toBe(whole);
          expect(system.crc32(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), before)).toBe(whole);
        }
        expect(pageSystem.sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
      }),
    );
  });

  it("files are refused in a sentence that names them", async () => {
    const sentence = /^out\/model\.json cannot be read or written: a web page has no file system/u;
    await expect(page.readJson("out/model.json")).rejects.toThrow(sentence);
    await expect(page.writeFileAtomic("out/model.json")).rejects.toThrow(page.FileError);
    await expect(pageSystem.open("out/model.json")).rejects.toThrow(sentence);
    expect(() => page.cacheFolder("data")).toThrow(page.FileError);
    expect(pageSystem.existsSync("out")).toBe(false);
  });
});
