import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { decodeFiles } from "../src/images/decode-files.ts";
import { decodeImage } from "../src/images/decode.ts";
import type { DecodeOptions } from "../src/images/decode-options.ts";
import { imageFolder } from "../src/folders/image-folder.ts";
import { uniformStream } from "@convkit/augment/internal";
import { resizeModes } from "../src/images/resize/resize.ts";
import { put, temporaryFolder } from "./temporary.ts";

/** A picture of blurred noise. */
function picture([h, w]: readonly [number, number], seed: number): Sharp {
  const uniform = uniformStream(seed, 0);
  const raw = Uint8Array.from({ length: 7 * 5 * 3 }, () => uniform() * 256);
  return sharp(raw, { raw: { width: 5, height: 7, channels: 3 } }).resize(w, h, { fit: "fill", kernel: "cubic" });
}

/** Files of every kind that the threads take and leave. */
async function pictures(folder: string): Promise<string[]> {
  const whole = await picture([60, 70], 8).jpeg({ quality: 90 }).toBuffer();
  const contents: readonly (readonly [string, Buffer])[] = [
    ["plain.jpg", await picture([90, 120], 1).jpeg().toBuffer()],
    ["full.jpeg", await picture([51, 33], 2).jpeg({ chromaSubsampling: "4:4:4" }).toBuffer()],
    ["progressive.JPG", await picture([64, 64], 3).jpeg({ progressive: true }).toBuffer()],
    ["gray.jpg", await picture([40, 80], 4).grayscale().jpeg().toBuffer()],
    ["inks.jpg", await picture([40, 80], 5).toColourspace("cmyk").jpeg().toBuffer()],
    ["turned.jpg", await picture([40, 80], 6).withMetadata({ orientation: 6 }).jpeg().toBuffer()],
    ["small.jpg", await picture([3, 2], 7).jpeg().toBuffer()],
    ["is-a-png.jpg", await picture([30, 31], 9).png().toBuffer()],
    ["other.png", await picture([30, 31], 9).png().toBuffer()],
    ["truncated.jpg", whole.subarray(0, whole.length - 200)],
    ["empty.jpg", Buffer.alloc(0)],
  ];
  return contents.map(([name, content]) => put(folder, name, content));
}

describe("files that are decoded in threads", () => {
  it.each<DecodeOptions>([
    {},
    { crop: true },
    { channels: 1 },
    { orient: false },
    ...resizeModes.map((resize) => ({ resize })),
  ])("have the pixels and failures of decodeImage: %o", async (options) => {
    const files = [...(await pictures(temporaryFolder())), "not-there.jpg"];
    const { channels = 3, orient = true } = options;
    const size = [23, 29] as const;
    const bytes = size[0] * size[1] * channels;
    const memory = new ArrayBuffer(1 + files.length * bytes);
    const targets = files.map((_, place) => new Uint8Array(memory, 1 + place * bytes, bytes));
    const failures = await decodeFiles(
      files.map((file, place) => ({ source: file, target: targets[place]! })),
      { ...options, size, channels, orient },
    );
    for (const [place, file] of files.entries()) {
      const alone = await decodeImage(file, { ...options, size }).catch((error: unknown) => error);
      if (alone instanceof Error) expect(failures[place]).toEqual(alone);
      else expect(failures[place] ?? targets[place], file).toEqual((alone as { data: Uint8Array }).data);
    }
    expect(failures.filter((failure) => failure !== undefined)).toHaveLength(3);
  });

  it("that are damaged are each failed for their own reason, though libvips mixes those of all that are under way", async () => {
    const folder = temporaryFolder();
    const whole = await picture([60, 70], 8).jpeg().toBuffer();
    const png = await picture([30, 31], 9).png().toBuffer();
    const files = Array.from({ length: 24 }, (_, i) => [
      put(folder, `${i}.jpg`, whole.subarray(0, whole.length - 200)),
      put(folder, `${i}.png`, png.subarray(0, png.length / 2)),
    ]).flat();
    const wanted = files.map((file) => ({ source: file, target: new Uint8Array(7 * 7 * 3) }));
    const failures = await decodeFiles(wanted, { size: [7, 7], channels: 3, orient: true });
    for (const [i, failure] of failures.entries())
      expect(failure).toEqual(await decodeImage(files[i]!).catch((error: unknown) => error));
  });

  it("are sent more than once what is too much for once", async () => {
    const folder = temporaryFolder();
    const contents = await Promise.all([1, 2, 3].map((seed) => picture([10, 12], seed).jpeg().toBuffer()));
    const files = Array.from({ length: 150 }, (_, i) => put(folder, `${i}.jpg`, contents[i % 3]!));
    const wanted = files.map((file) => ({ source: file, target: new Uint8Array(7 * 7 * 3) }));
    const decoding = { size: [7, 7], channels: 3, orient: true } as const;
    expect(await Promise.all([decodeFiles(wanted, decoding), decodeFiles(wanted, decoding)])).toEqual(
      [0, 1].map(() => files.map(() => undefined)),
    );
    const right = await Promise.all(contents.map((content) => decodeImage(content, { size: [7, 7] })));
    for (const [i, { target }] of wanted.entries()) expect(target).toEqual(right[i % 3]!.data);
  });

  it.each([0, 1, 3])("make the same batches whatever their number (%i workers)", async (workers) => {
    const folder = temporaryFolder();
    for (const [label, name] of ["a", "b"].entries())
      for (let i = 0; i < 6; i++)
        put(
          folder,
          `${name}/${i}.jpg`,
          await picture([20 + i, 30], 10 * label + i)
            .jpeg()
            .toBuffer(),
        );
    const { train } = await imageFolder(folder, { size: [16, 16], workers });
    const order = { batch: 5, shuffle: true, seed: 3 };
    for await (const { images, indices } of train.batches(order))
      for (const [place, index] of indices.entries()) {
        const { data } = await decodeImage(train.describe(index), { size: [16, 16] });
        expect(images.subarray(place * 768, (place + 1) * 768)).toEqual(data);
      }
  });

  it("are not so many as no number", async () => {
    const folder = temporaryFolder();
    for (const name of ["a", "b"]) put(folder, `${name}/1.jpg`, await picture([8, 8], 1).jpeg().toBuffer());
    await expect(imageFolder(folder, { workers: 1.5 })).rejects.toThrow(
      "images: expected workers to be a whole number from 0, got 1.5",
    );
  });

  it("do not keep a process alive that stops in the middle, nor let one end that waits for them", async () => {
    const folder = temporaryFolder();
    for (const name of ["a", "b"])
      for (let i = 0; i < 40; i++) put(folder, `${name}/${i}.jpg`, await picture([80, 80], i).jpeg().toBuffer());
    const program = put(
      folder,
      "program.mts",
      `import { imageFolder } from ${JSON.stringify(fileURLToPath(new URL("../src/folders/image-folder.ts", import.meta.url)))};
       const { train } = await imageFolder(${JSON.stringify(folder)}, { size: [32, 32] });
       for await (const { images } of train.batches({ batch: 8 })) { console.log(images.length); break; }`,
    );
    expect(await run(["--import", import.meta.resolve("tsx"), program])).toEqual({
      code: 0,
      output: `${8 * 32 * 32 * 3}\n`,
    });
  });

  it("let a process end in the middle of a file", async () => {
    const folder = temporaryFolder();
    const content = await picture([2000, 2000], 1).jpeg().toBuffer();
    for (const name of ["a", "b"]) for (let i = 0; i < 8; i++) put(folder, `${name}/${i}.jpg`, content);
    const program = put(
      folder,
      "program.mts",
      `import { imageFolder } from ${JSON.stringify(fileURLToPath(new URL("../src/folders/image-folder.ts", import.meta.url)))};
       const { train } = await imageFolder(${JSON.stringify(folder)}, { size: [32, 32] });
       for await (const { images } of train.batches({ batch: 4 })) { console.log(images.length); process.exit(3); }`,
    );
    expect(await run(["--import", import.meta.resolve("tsx"), program])).toEqual({
      code: 3,
      output: `${4 * 32 * 32 * 3}\n`,
    });
  });
});

async function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}
