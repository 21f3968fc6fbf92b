import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { basename, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import sharp from "sharp";
import { expect, it, onTestFinished, test } from "vitest";
import { type DataSplits, decodeImage, type IndexedDataset, loadData, type LoadOptions } from "../src/index.ts";
import { byCodePoint } from "../src/folders/class-names.ts";
import { put, temporaryFolder } from "./temporary.ts";

const picture = (level: number) =>
  sharp({ create: { width: 6, height: 5, channels: 3, background: { r: level, g: 255 - level, b: 7 } } });
const png = (level: number) => picture(level).png().toBuffer();
const mask = (value: number) =>
  sharp(new Uint8Array(30).fill(value), { raw: { width: 6, height: 5, channels: 1 } })
    .toColorspace("b-w")
    .png()
    .toBuffer();

const folders: Record<string, readonly [files: Record<string, () => Promise<Uint8Array> | string>, LoadOptions]> = {
  "folders of classes": [
    {
      "cat/b.png": () => png(1),
      "cat/a.png": () => png(2),
      "cat/more/c.jpg": () => picture(3).jpeg().toBuffer(),
      "cat/.hidden/x.png": () => png(4),
      "cat/unnamed": () => png(5),
      "cat/notes.txt": () => "no picture",
      "dog/1.png": () => png(6),
      "dog/2.png": () => "damaged",
      "stray.png": () => png(7),
      ".DS_Store": () => "hidden",
    },
    { size: [4, 3], resize: "antialiased" },
  ],
  "folders of splits": [
    Object.fromEntries(
      ["train/a/1", "train/b/1", "train/b/2", "validation/a/1", "validation/b/1", "testing/a/1", "testing/b/1"].map(
        (path, level) => [`${path}.png`, () => png(10 + level)],
      ),
    ),
    {},
  ],
  "names of classes and numbers": [
    { "cat.2.png": () => png(1), "cat.10.png": () => png(2), "dog.1.png": () => png(3), "dog.2.png": () => png(4) },
    { ranges: { train: [0, 1], test: [1, 2] } },
  ],
  "split at random": [
    Object.fromEntries(
      Array.from({ length: 12 }, (_, level) => [`${level % 2 === 0 ? "a" : "b"}/${level}.png`, () => png(level)]),
    ),
    { test: 4, validation: 2, seed: 3, stratify: true },
  ],
  "images with masks": [
    {
      "images/1.png": () => png(1),
      "images/2.png": () => png(2),
      "masks/1.png": () => mask(0),
      "masks/2_mask.png": () => mask(1),
      "masks/3.png": () => mask(1),
      "classes.txt": () => "ground\nsky\n",
    },
    {},
  ],
};

async function made(files: Record<string, () => Promise<Uint8Array> | string>): Promise<string> {
  const folder = join(temporaryFolder(), "pets");
  for (const [path, content] of Object.entries(files)) put(folder, path, await content());
  return folder;
}

/** The paths of all files in a folder, within it. */
function pathsIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((each) => (each.isFile() ? [relative(folder, join(each.parentPath, each.name))] : []));
}

/** A file as `<input type="file" webkitdirectory>` gives it. */
const picked = (folder: string, path: string): File =>
  Object.defineProperty(new File([readFileSync(join(folder, path))], basename(path)), "webkitRelativePath", {
    value: `pets/${path}`,
  });

/** A handle of a folder, as a page has it. */
function handleOf(folder: string): FileSystemDirectoryHandle {
  return {
    kind: "directory",
    name: basename(folder),
    async *entries() {
      for (const each of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, each.name);
        const getFile = async (): Promise<File> => new File([readFileSync(path)], each.name);
        yield [each.name, each.isDirectory() ? handleOf(path) : { kind: "file", name: each.name, getFile }];
      }
    },
  } as unknown as FileSystemDirectoryHandle;
}

async function addressesOf(folder: string): Promise<URL[]> {
  const server = createServer((request, response) => {
    response.end(readFileSync(join(folder, decodeURIComponent(request.url!))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return pathsIn(folder).map((path) => new URL(`http://127.0.0.1:${port}/pets/${path}`));
}

/** Everything of the splits that does not depend on where the files lie. */
async function told(splits: DataSplits<IndexedDataset>, root: string): Promise<unknown> {
  const within = (text: string): string => text.replaceAll(root, "").replace(/^\//, "");
  const parts: unknown[] = [];
  for (const split of ["train", "validation", "test"] as const) {
    const data = splits[split];
    if (data === undefined) continue;
    for await (const { images, labels, shape, targets } of data.batches({ batch: 100 }))
      parts.push([split, data.classes, [...images], [...labels], shape, targets, data.targets]);
    parts.push(Array.from({ length: data.size }, (_, index) => within(data.describe(index))));
    parts.push(data.skipped.map(({ file, reason }) => [within(file), within(reason)]).toSorted());
  }
  return parts;
}

const ways: Record<string, (folder: string) => Parameters<typeof loadData>[0] | Promise<readonly URL[]>> = {
  "Files with relative paths": (folder) =>
    pathsIn(folder)
      .toReversed()
      .map((path) => picked(folder, path)),
  "a handle of a folder": handleOf,
  "paths and Blobs": (folder) =>
    pathsIn(folder).map((path) => ({ path, file: new Blob([readFileSync(join(folder, path))]) })),
  "file addresses": (folder) => pathsIn(folder).map((path) => pathToFileURL(join(folder, path))),
  paths: (folder) => pathsIn(folder).map((path) => join(folder, path)),
};

for (const [name, [files, options]] of Object.entries(folders))
  test.each(Object.entries(ways))(`${name} give the data of the folder from %s`, async (way, given) => {
    const folder = await made(files);
    const expected = await told(await loadData(folder, options), folder);
    const splits = await loadData((await given(folder)) as readonly File[], options);
    const hasRoot = way !== "paths and Blobs";
    expect(splits.name).toBe(hasRoot ? "pets" : "files");
    expect(await told(splits, hasRoot ? "pets" : "")).toEqual(expected);
  });

it("reads images at addresses of a server, and says which one it does not have", async () => {
  const folder = await made({ "a/1.png": () => png(1), "b/ü 1.png": () => png(2), "b/2.png": () => png(3) });
  const root = join(folder, "..");
  const addresses = (await addressesOf(root)).map((address) => new URL(address.href.replace("/pets/", "/")));
  const expected = await told(await loadData(folder), folder);
  expect(await told(await loadData(addresses), "pets")).toEqual(expected);
  const lost = new URL(addresses[0]!.href.replace(/[^/]+$/, "lost.png"));
  const server = createServer((_, response) => response.writeHead(404).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  lost.port = String((server.address() as AddressInfo).port);
  const { train } = await loadData([...addresses, lost]);
  expect(train.skipped).toEqual([
    { file: expect.stringMatching(/lost\.png$/) as string, reason: "its address answers 404" },
  ]);
});

test.each<[what: string, given: unknown, options: object, message: RegExp]>([
  [
    "nothing",
    [],
    {},
    /expected Files, a list of \{ path, file \}, the addresses of files or a handle of a folder, got an empty list/,
  ],
  ["a number", [1], {}, /got a list of several kinds/],
  ["a single Blob", new Blob(["x"]), {}, /expected Files/],
  [
    "two of one path",
    ["a", "b", "a"].map((name) => new File(["x"], `${name}.1.png`)),
    {},
    /two files have the path a\.1\.png/,
  ],
  ["a path that names nothing", [{ path: "/", file: new Blob(["x"]) }], {}, /got a list of several kinds/],
  ["an address of a folder", [new URL("http://host/cat/")], {}, /http:\/\/host\/cat\/ names no file/],
  ["an address without a path", [new URL("data:image/png;base64,AA")], {}, /names no file/],
  ["one class", [{ path: "cat/1.png", file: new Blob(["x"]) }], {}, /one class only \(cat\)/],
  ["an option of names", [new File(["x"], "a.1.png")], { from: "x" }, /loadData of files.*from/s],
  ["masks for classes", [new File(["x"], "a.1.png")], { masks: {} }, /files has no folders images and masks/],
])("refuses %s", async (_, given, options, message) => {
  await expect(loadData(given as readonly File[], options)).rejects.toThrow(message);
});

it("orders names as their UTF-8 bytes", () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom("a", "\u{1F600}", "\uFF21", "\uD7FF", "\uE000"),
      fc.string({ unit: "binary", maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byCodePoint(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

it("decodes a Blob as its bytes, and names a File that is none", async () => {
  const bytes = (await png(9)) as Uint8Array<ArrayBuffer>;
  const expected = await decodeImage(bytes, { size: [3, 3] });
  expect(await decodeImage(new Blob([bytes]), { size: [3, 3] })).toEqual(expected);
  await expect(decodeImage(new File(["none"], "a.png"))).rejects.toThrow(
    "a.png cannot be decoded: it starts as no known image does (6e6f6e65)",
  );
  await expect(decodeImage(5 as never)).rejects.toThrow(/its bytes or a Blob, got 5/);
});
