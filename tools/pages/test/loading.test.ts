import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DataSplits, type IndexedDataset, loadData } from "@convkit/datasets";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { runInPage } from "../src/run-in-page.ts";

const [width, height] = [31, 23];
/** A picture of slopes and some noise. */
const picture = (level: number) =>
  sharp(
    Uint8Array.from({ length: height * width * 3 }, (_, at) => (level * 20 + at * 2 + ((at * 131) % 23)) % 256),
    { raw: { width, height, channels: 3 } },
  );
const mask = (value: number) =>
  sharp(
    Uint8Array.from({ length: height * width }, (_, at) => (at < 200 ? value : 2)),
    { raw: { width, height, channels: 1 } },
  )
    .toColorspace("b-w")
    .png()
    .toBuffer();

const pets: Record<string, Uint8Array> = {
  "cat/1.png": await picture(1).png().toBuffer(),
  "cat/2.webp": await picture(2).webp().toBuffer(),
  "cat/unnamed": await picture(3).png().toBuffer(),
  "cat/text.txt": new TextEncoder().encode("no picture"),
  "dog/10.png": await picture(4).png().toBuffer(),
  "dog/damaged.png": new TextEncoder().encode("damaged"),
  "dog/cut.png": (await picture(4).png().toBuffer()).subarray(0, 300),
  "dog/2.png": await picture(5).png().toBuffer(),
  ".DS_Store": new Uint8Array(1),
};
const scenes: Record<string, Uint8Array> = {
  "images/1.png": await picture(1).png().toBuffer(),
  "images/2.png": await picture(2).png().toBuffer(),
  "masks/1.png": await mask(0),
  "masks/2.png": await mask(1),
};
const options = { size: [16, 20], resize: "bicubic", crop: true, check: "all" } as const;

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** What Node reads in a folder with these files. */
async function inNode(name: string, files: Record<string, Uint8Array>): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "loading-"));
  folders.push(folder);
  const path = join(folder, name);
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), bytes);
  }
  return told(await loadData(path, options), `${folder}/`);
}

/** Names, pixels, labels, masks and skipped files; reasons of damaged files are the decoders' own. */
async function told({ name, train }: DataSplits<IndexedDataset>, root: string): Promise<unknown> {
  const parts: unknown[] = [name, train.classes, train.shape, train.decoding];
  for await (const { images, labels, targets } of train.batches({ batch: 100 }))
    parts.push([
      [...images],
      [...labels],
      targets === undefined ? [] : Object.values(targets).map((each) => [...each]),
    ]);
  parts.push(Array.from({ length: train.size }, (_, index) => train.describe(index).replace(root, "")));
  parts.push(train.skipped.map(({ file }) => file.replace(root, "")).toSorted());
  return parts;
}

describe.skipIf(withoutBrowser !== "")(`loadData in a page${withoutBrowser}`, () => {
  it("reads Files, paths and Blobs, a folder of the page's own and addresses to what Node reads in the folder", async () => {
    const served = (name: string, files: Record<string, Uint8Array>) =>
      Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`/${name}/${path}`, bytes]));
    const { found, messages } = await runInPage<{
      found: Record<string, Record<string, unknown>>;
      messages: string[];
    }>(
      `import { loadData } from "@convkit/datasets";
      const told = ${told.toString()};
      const options = ${JSON.stringify(options)};
      async function into(folder, path, bytes) {
        const parts = path.split("/");
        for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
        const writer = await (await folder.getFileHandle(parts.at(-1), { create: true })).createWritable();
        await writer.write(bytes);
        await writer.close();
      }
      export async function run() {
        const found = {};
        for (const [name, paths] of Object.entries(${JSON.stringify({ pets: Object.keys(pets), scenes: Object.keys(scenes) })})) {
          const blobs = await Promise.all(paths.map(async (path) => (await fetch("/" + name + "/" + path)).blob()));
          const files = paths.map((path, place) =>
            Object.defineProperty(new File([blobs[place]], path.split("/").at(-1)), "webkitRelativePath", { value: name + "/" + path }));
          const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
          for (const [place, path] of paths.entries()) await into(root, path, blobs[place]);
          found[name] = {
            files: await told(await loadData(files, options), ""),
            folder: await told(await loadData(root, options), ""),
            addresses: await told(await loadData(paths.map((path) => "/" + name + "/" + path), options), ""),
            kept: await told(await loadData(files, { ...options, keep: "memory" }), ""),
          };
        }
        const list = new DataTransfer();
        for (const name of ["cat.1.png", "cat.2.png", "dog.1.png"])
          list.items.add(new File([await (await fetch("/pets/cat/1.png")).blob()], name));
        const flat = await loadData(list.files);
        found.flat = { classes: flat.train.classes, labels: [...flat.train.labels], shape: flat.train.shape };
        const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
        const messages = [
          await message(() => loadData("pets")),
          await message(() => loadData(list.files, { keep: "disk" })),
          await message(() => loadData([new File(["x"], "a.1.png"), new File(["x"], "b.1.png")])),
        ];
        return { found, messages };
      }`,
      { files: { ...served("pets", pets), ...served("scenes", scenes) } },
    );
    for (const [name, files] of Object.entries({ pets, scenes })) {
      const expected = await inNode(name, files);
      for (const [way, data] of Object.entries(found[name]!)) expect(data, `${name}, ${way}`).toEqual(expected);
    }
    expect(found["flat"]).toEqual({ classes: ["cat", "dog"], labels: [0, 0, 1], shape: [height, width, 3] });
    expect(messages).toEqual([
      "DataError: loadData: a web page cannot look into pets; give Files, a list of { path, file }, the addresses of all files or a handle of a folder",
      'DataError: keep "disk" needs a folder, which a web page has none of; keep "memory" keeps decoded images, too',
      "DataError: files/train has no image that can be read: a.1.png cannot be decoded: it starts as no known image does (78)",
    ]);
  });
});
