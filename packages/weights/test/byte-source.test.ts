import * as fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { concatenated, memorySource, windowOf } from "../src/bytes/byte-source.ts";
import { openFile } from "../src/platform/disk.ts";
import type { ByteSource } from "../src/bytes/byte-source.ts";
import { readZip } from "../src/bytes/zip-reader.ts";
import { WeightsError } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-bytes-"));
afterAll(() => rmSync(folder, { recursive: true }));

// No byte is 0, which an unfilled buffer would have, and neighbors differ.
const content = Uint8Array.from({ length: 1000 }, (_, i) => 1 + ((i * 7) % 251));
writeFileSync(join(folder, "plain"), content);
writeFileSync(join(folder, "longer"), Buffer.concat([new Uint8Array(33), content, new Uint8Array(33)]));

/** A zip archive of one entry that holds the content. */
function zipped(method: 0 | 8): Uint8Array {
  const data = method === 0 ? content : deflateRawSync(content);
  const local = new DataView(new ArrayBuffer(31));
  const central = new DataView(new ArrayBuffer(47));
  for (const [view, signature, at] of [
    [local, 0x04034b50, 8],
    [central, 0x02014b50, 10],
  ] as const) {
    view.setUint32(0, signature, true);
    view.setUint16(at, method, true);
    view.setUint32(at + 6, crc32(content), true);
    view.setUint32(at + 10, data.byteLength, true);
    view.setUint32(at + 14, content.byteLength, true);
    view.setUint16(at + 18, 1, true);
    view.setUint8(view.byteLength - 1, 0x61);
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(10, 1, true);
  end.setUint32(12, 47, true);
  end.setUint32(16, 31 + data.byteLength, true);
  return Buffer.concat([
    new Uint8Array(local.buffer),
    data,
    new Uint8Array(central.buffer),
    new Uint8Array(end.buffer),
  ]);
}

const entryOf = async (method: 0 | 8): Promise<ByteSource> =>
  (await readZip(memorySource(zipped(method), "zip"))).get("a")!.open();
const parts = (sizes: readonly number[]): ByteSource[] => {
  let at = 0;
  return [...sizes, 1000].map((size) => memorySource(content.subarray(at, (at += size)), "part"));
};

const sources: readonly (readonly [string, () => ByteSource | Promise<ByteSource>])[] = [
  ["memory", () => memorySource(content, "memory")],
  ["memory within a larger buffer", () => memorySource(Buffer.concat([new Uint8Array(5), content]).subarray(5), "m")],
  ["a file", () => openFile(join(folder, "plain"))],
  ["a part of a file", () => windowOf(openFile(join(folder, "longer")), 33, content.byteLength, "part")],
  ["a part of memory", () => windowOf(memorySource(Buffer.concat([content, content]), "m"), 1000, 1000, "part")],
  ["a stored entry of an archive", () => entryOf(0)],
  ["a deflated entry of an archive", () => entryOf(8)],
  ["several sources after each other", () => concatenated("whole", parts([0, 1, 400, 0, 37]))],
];

describe.each(sources)("%s", (_, make) => {
  it("fills every buffer that it returns with the bytes of the place, or throws a WeightsError", async () => {
    const source = await make();
    expect(source.size).toBe(content.byteLength);
    const place = fc.integer({ min: -2, max: 1010 });
    await fc.assert(
      fc.asyncProperty(
        place,
        place,
        fc.constantFrom("new", "into", "longer into", "ahead"),
        async (offset, length, way) => {
          const isInside = offset >= 0 && length >= 0 && offset + length <= content.byteLength;
          const whole = new Uint8Array(Math.max(0, length) + 20);
          const into = way === "longer into" ? whole.subarray(10) : whole.subarray(10, 10 + Math.max(0, length));
          let came: Uint8Array | undefined;
          try {
            if (way === "new") came = source.read(offset, length);
            else if (way === "ahead" && source.readAhead !== undefined)
              came = await source.readAhead(offset, length, into);
            else came = source.read(offset, length, into);
          } catch (error) {
            expect(error).toBeInstanceOf(WeightsError);
          }
          expect(came !== undefined).toBe(isInside);
          if (came === undefined) return;
          expect(came).toEqual(content.slice(offset, offset + length));
          if (way === "new") return;
          // The bytes lie in the given buffer, and nothing is written beside them.
          expect(came.buffer === whole.buffer && came.byteOffset === 10).toBe(true);
          expect(whole.subarray(0, 10).every((byte) => byte === 0)).toBe(true);
          expect(whole.subarray(10 + length).every((byte) => byte === 0)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    source.close();
  });

  it("refuses a buffer that is too short", async () => {
    const source = await make();
    expect(() => source.read(0, 10, new Uint8Array(9))).toThrow(WeightsError);
    source.close();
  });
});
