import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, readJson, writeJson } from "../src/index.ts";
import { temporaryFolder } from "./temporary.ts";

/** Objects and arrays inside each other, counted on the value. */
function depthOf(value: unknown): number {
  return typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

describe("readJson", () => {
  const put = (content: string | Uint8Array) => {
    const path = join(temporaryFolder(), "x.json");
    writeFileSync(path, content);
    return path;
  };

  test("gives back what writeJson wrote, two spaces deep and with a last newline", async () => {
    const path = join(temporaryFolder(), "made", "x.json");
    await writeJson(path, { a: [1, "zwei"] });
    expect(await readFile(path, "utf8")).toBe('{\n  "a": [\n    1,\n    "zwei"\n  ]\n}\n');
    expect(await readJson(path)).toEqual({ a: [1, "zwei"] });
  });

  test("takes a file with a byte order mark", async () => {
    expect(await readJson(put("\uFEFF[1]"))).toEqual([1]);
  });

  test("limits the depth at the exact value, brackets in strings aside", () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (text, indent) => {
        const value = JSON.parse(text) as unknown;
        const depth = depthOf(value);
        const written = JSON.stringify({ value, '[{\\"': "[[" }, undefined, indent ? 2 : 0);
        expect(parseJson(written, "f", { maxDepth: depth + 1 })).toEqual(JSON.parse(written));
        expect(() => parseJson(written, "f", { maxDepth: depth })).toThrow("inside each other");
      }),
    );
  });

  test.each<[string, string | Uint8Array, object, RegExp]>([
    [
      "a hundred thousand brackets",
      "[".repeat(100_000),
      {},
      /expected at most 200 objects or arrays inside each other/,
    ],
    ["more bytes than allowed", "[1,2,3]", { maxBytes: 6 }, /expected at most 6 bytes, got 7/],
    ["text that is cut off", '{"a": [1', {}, /is not JSON: /],
    ["bytes that are no text", Uint8Array.of(0x22, 0xff, 0x22), {}, /is not JSON: its bytes are no UTF-8 text/],
    ["nothing", "", {}, /is not JSON: /],
  ])("refuses %s and names the file", async (_, content, limits, message) => {
    const path = put(content);
    await expect(readJson(path, limits)).rejects.toThrow(message);
    await expect(readJson(path, limits)).rejects.toMatchObject({ code: "CONVKIT_FILE", path });
  });

  test("refuses a file that is not there, a folder, and an option that it does not know", async () => {
    const folder = temporaryFolder();
    await expect(readJson(join(folder, "none"))).rejects.toThrow(`${join(folder, "none")} does not exist.`);
    await expect(readJson(folder)).rejects.toThrow(`${folder} cannot be read: EISDIR`);
    await expect(readJson(folder, { maxbytes: 1 } as object)).rejects.toThrow('Did you mean "maxBytes"?');
  });
});
