import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import { extractHeaders, openArchive } from "../src/install/wheel-archive.ts";
import { temporaryFolder } from "./temporary.ts";

const files = {
  "tensorflow/lib.so.2": "library ".repeat(1000),
  "tensorflow/include/a/root.h": '#include <cstdint>\n#include "a/one.h"\n# include "b/two.h"\n',
  "tensorflow/include/a/one.h": '#include "a/root.h"\n',
  "tensorflow/include/b/two.h": '#include "elsewhere/absent.h"\nint two;\n',
  "tensorflow/include/b/unused.h": "int unused;\n",
};

describe("a wheel", () => {
  test("gives single files", async () => {
    const folder = await temporaryFolder();
    const archive = await openArchive(await zip(folder));
    expect(archive.names).toEqual(Object.keys(files));
    await archive.extract("tensorflow/lib.so.2", path.join(folder, "lib/lib.so.2"));
    expect(await readFile(path.join(folder, "lib/lib.so.2"), "utf8")).toBe(files["tensorflow/lib.so.2"]);
    await expect(archive.text("tensorflow/missing")).rejects.toThrow("has no tensorflow/missing");
    archive.close();
  });

  test("gives a header with those that it includes, and no others", async () => {
    const folder = await temporaryFolder();
    const archive = await openArchive(await zip(folder));
    const include = path.join(folder, "include");
    await extractHeaders(archive, "tensorflow/include/", ["a/root.h"], include);
    archive.close();
    expect(await readFile(path.join(include, "b/two.h"), "utf8")).toBe(files["tensorflow/include/b/two.h"]);
    expect(await readFile(path.join(include, "a/one.h"), "utf8")).toBe(files["tensorflow/include/a/one.h"]);
    await expect(readFile(path.join(include, "b/unused.h"))).rejects.toThrow("ENOENT");
  });

  test("that is no zip file is refused", async () => {
    const file = path.join(await temporaryFolder(), "wheel.whl");
    await writeFile(file, "no zip");
    await expect(openArchive(file)).rejects.toThrow();
  });
});

/** A zip file of `files`, deflated, as the format's specification lays it out. */
async function zip(folder: string): Promise<string> {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = deflateRawSync(text);
    const sizes = Buffer.alloc(14);
    sizes.writeUInt32LE(crc32(text), 0);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(text.length, 8);
    sizes.writeUInt16LE(name.length, 12);
    const common = Buffer.concat([Buffer.from([20, 0, 0, 0, 8, 0, 0, 0, 33, 0]), sizes]);
    const end = Buffer.alloc(16);
    end.writeUInt32LE(offset, 12);
    locals.push(Buffer.from("PK\x03\x04"), common, Buffer.alloc(2), Buffer.from(name), data);
    directory.push(Buffer.from("PK\x01\x02\x14\x00"), common, end, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const listing = Buffer.concat(directory);
  const tail = Buffer.alloc(22);
  tail.write("PK\x05\x06", "latin1");
  tail.writeUInt16LE(Object.keys(files).length, 8);
  tail.writeUInt16LE(Object.keys(files).length, 10);
  tail.writeUInt32LE(listing.length, 12);
  tail.writeUInt32LE(offset, 16);
  const file = path.join(folder, "wheel.whl");
  await writeFile(file, Buffer.concat([...locals, listing, tail]));
  return file;
}
