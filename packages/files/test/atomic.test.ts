import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import {
  finalName,
  isTemporary,
  makeFolder,
  openAtomicFile,
  temporaryName,
  writeFileAtomic,
  writeFolderAtomic,
} from "../src/index.ts";
import { bundleProgram, startProgram } from "./program.ts";
import { canMount, smallDisk } from "./small-disk.ts";
import { temporaryFolder } from "./temporary.ts";

const exitWhileWriting = bundleProgram("exit-while-writing");

describe("writeFileAtomic", () => {
  test.each<[string, Parameters<typeof writeFileAtomic>[1], string]>([
    ["text", "zwölf", "zwölf"],
    ["bytes", Buffer.from("bytes"), "bytes"],
    ["parts", ["a", Buffer.from("b"), "c"], "abc"],
    ["a function", (sink) => ["x", "y"].forEach((part) => sink.write(Buffer.from(part))), "xy"],
  ])("writes %s, and nothing else", async (_, content, expected) => {
    const path = join(temporaryFolder(), "a", "b.txt");
    await writeFileAtomic(path, "older");
    expect(await writeFileAtomic(path, content)).toBe(Buffer.byteLength(expected));
    expect(readFileSync(path, "utf8")).toBe(expected);
    expect(readdirSync(join(path, ".."))).toEqual(["b.txt"]);
  });

  test("keeps the older file, its mode, and the link to it", async () => {
    const folder = temporaryFolder();
    const [real, alias] = [join(folder, "real"), join(folder, "alias")];
    writeFileSync(real, "old");
    chmodSync(real, 0o640);
    symlinkSync(real, alias);
    const fail = () => {
      throw new Error("no content");
    };
    await expect(writeFileAtomic(alias, fail)).rejects.toThrow("no content");
    expect(readFileSync(real, "utf8")).toBe("old");
    await writeFileAtomic(alias, "new");
    expect([readFileSync(real, "utf8"), statSync(real).mode & 0o777]).toEqual(["new", 0o640]);
    expect(readdirSync(folder).toSorted()).toEqual(["alias", "real"]);
  });

  test("removes the half file and the folders that it made", async () => {
    const folder = temporaryFolder();
    const file = await openAtomicFile(join(folder, "a", "b", "c"));
    file.write(Buffer.from("half"));
    await file.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("writes to a pipe as it is, and leaves it there", async () => {
    const pipe = join(temporaryFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = promisify(execFile)("cat", [pipe]);
    await writeFileAtomic(pipe, ["a", "b"]);
    expect((await reader).stdout).toBe("ab");
    expect(statSync(pipe).isFIFO()).toBe(true);
    await expect(writeFolderAtomic(pipe, () => undefined)).rejects.toThrow(`${pipe} cannot be written (EEXIST)`);
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(join(pipe, ".."))).toEqual(["pipe"]);
  });

  test("names the path where a file stands in place of a folder", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, "file", "sub", "x");
    await expect(writeFileAtomic(path, "")).rejects.toThrow(
      `${path} cannot be written (ENOTDIR): a part of the path is a file, not a folder; choose another place.`,
    );
  });

  test("names the path where a folder has its name", async () => {
    const path = temporaryFolder();
    await expect(writeFileAtomic(path, "")).rejects.toThrow(
      `${path} cannot be written (EISDIR): a folder has that name; remove it, or choose another place.`,
    );
  });
});

describe.skipIf(!canMount)("a disk", () => {
  test("that is full is named, keeps the older file, and takes the next write", async () => {
    const { folder } = smallDisk(64 << 10);
    const path = join(folder, "run", "model.bin");
    await expect(writeFileAtomic(path, Buffer.alloc(128 << 10))).rejects.toThrow(
      `${path} cannot be written (ENOSPC): the disk is full; make room, or choose another place.`,
    );
    expect(readdirSync(folder)).toEqual([]);
    await writeFileAtomic(path, "small");
    await expect(writeFileAtomic(path, Buffer.alloc(128 << 10))).rejects.toMatchObject({ code: "CONVKIT_FILE", path });
    expect(readFileSync(path, "utf8")).toBe("small");
    expect(readdirSync(join(folder, "run"))).toEqual(["model.bin"]);
  });

  test("that is full leaves no half folder", async () => {
    const { folder } = smallDisk(64 << 10);
    const path = join(folder, "model");
    const fill = async (inside: string) => {
      await writeFileAtomic(join(inside, "a"), "a");
      await writeFileAtomic(join(inside, "b"), Buffer.alloc(128 << 10));
    };
    await expect(writeFolderAtomic(path, fill)).rejects.toThrow(
      `${path} cannot be written (ENOSPC): the disk is full; make room, or choose another place.`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("that is read-only is named", async () => {
    const disk = smallDisk(64 << 10);
    disk.makeReadOnly();
    const path = join(disk.folder, "a", "b", "c");
    const sentence = "cannot be written (EROFS): the disk is read-only; choose another place.";
    await expect(makeFolder(path)).rejects.toThrow(`${path} ${sentence}`);
    await expect(writeFileAtomic(path, "")).rejects.toThrow(`${path} ${sentence}`);
    await expect(writeFolderAtomic(path, () => undefined)).rejects.toThrow(`${path} ${sentence}`);
  });
});

test("a process that exits leaves what was there before, and no half file or folder", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "old-folder"));
  for (const name of ["old-file", "old-folder/old"]) writeFileSync(join(folder, name), "old");
  const { code, output } = await startProgram(await exitWhileWriting, [folder]).ended;
  expect([code, output]).toEqual([3, ""]);
  const left = readdirSync(folder, { recursive: true }).map(String);
  expect(left.toSorted()).toEqual(["old-file", "old-folder", "old-folder/old", "whole"]);
  expect(readFileSync(join(folder, "old-file"), "utf8")).toBe("old");
});

describe("writeFolderAtomic", () => {
  test("replaces a folder whole", async () => {
    const path = join(temporaryFolder(), "a", "model");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "old"), "");
    await writeFolderAtomic(path, (folder) => writeFileSync(join(folder, "new"), ""));
    expect([readdirSync(path), readdirSync(join(path, ".."))]).toEqual([["new"], ["model"]]);
  });

  test("keeps the older folder where the new one fails", async () => {
    const path = join(temporaryFolder(), "model");
    mkdirSync(path);
    writeFileSync(join(path, "old"), "");
    const fail = () => {
      throw new Error("no content");
    };
    await expect(writeFolderAtomic(path, fail)).rejects.toThrow("no content");
    expect([readdirSync(path), readdirSync(join(path, ".."))]).toEqual([["old"], ["model"]]);
  });
});

test("a temporary name tells what it is the name of", () => {
  const [one, two] = [temporaryName("/a/model.json"), temporaryName("/a/model.json")];
  expect(one).not.toBe(two);
  expect(finalName(one.slice("/a/".length))).toBe("model.json");
  expect(finalName(".step-00000003.4711-2.tmp")).toBe("step-00000003");
  expect(["model.json", ".model.json", "a.tmp", ".a.tmp"].map(isTemporary)).toEqual([false, false, false, false]);
});
