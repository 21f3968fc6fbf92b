import { decodeImage, type DecodeOptions } from "@convkit/datasets";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { runInPage } from "../src/run-in-page.ts";

const [width, height] = [61, 47];
/** A picture of slopes, edges and some noise. */
const colors = Uint8Array.from({ length: height * width * 4 }, (_, at) => {
  const [pixel, channel] = [at >> 2, at & 3];
  const [x, y] = [pixel % width, Math.floor(pixel / width)];
  if (channel === 3) return (x * 9) % 256;
  return (x * (2 + channel) + y * (4 - channel) + (x > 30 ? 60 : 0) + ((at * 131) % 23)) % 256;
});
const raw = { raw: { width, height, channels: 4 } } as const;
const opaque = (): Sharp => sharp(colors, raw).removeAlpha();

/** How far the values of a page may be from those of Node: the largest difference, that of gray, and the mean. */
type Bounds = readonly [most: number, gray: number, mean: number];
const exact: Bounds = [0, 0, 0];
// Node takes TensorFlow's fast DCT, browsers the accurate one; and Node takes the luma that the file holds, where browsers clip colors first.
const colored: Bounds = [4, 40, 1];

const images: Record<string, readonly [file: () => Promise<Buffer>, bounds: Bounds]> = {
  png: [() => opaque().png().toBuffer(), exact],
  "png with alpha": [() => sharp(colors, raw).png().toBuffer(), exact],
  "png with a palette": [() => opaque().png({ palette: true }).toBuffer(), exact],
  "png of gray": [() => opaque().grayscale().png().toBuffer(), exact],
  "png of 16 bits": [() => opaque().toColourspace("rgb16").png().toBuffer(), exact],
  "png with a color profile": [() => opaque().withIccProfile("p3").png().toBuffer(), exact],
  "png on its side": [() => opaque().withMetadata({ orientation: 6 }).png().toBuffer(), exact],
  "webp without loss": [() => opaque().webp({ lossless: true }).toBuffer(), exact],
  "webp with alpha": [() => sharp(colors, raw).webp({ lossless: true, exact: true }).toBuffer(), exact],
  webp: [() => opaque().webp().toBuffer(), exact],
  gif: [() => opaque().gif().toBuffer(), exact],
  avif: [() => opaque().avif().toBuffer(), [1, 1, 0.1]],
  jpeg: [() => opaque().jpeg().toBuffer(), colored],
  "jpeg with all colors": [() => opaque().jpeg({ chromaSubsampling: "4:4:4" }).toBuffer(), colored],
  "progressive jpeg": [() => opaque().jpeg({ progressive: true }).toBuffer(), colored],
  "jpeg of gray": [() => opaque().grayscale().jpeg().toBuffer(), [4, 4, 0.6]],
  "jpeg on its side": [() => opaque().withMetadata({ orientation: 6 }).jpeg().toBuffer(), colored],
};

const ways: Record<string, DecodeOptions> = {
  "in its own size": {},
  smaller: { size: [24, 30] },
  "cropped, antialiased": { size: [20, 20], resize: "antialiased", crop: true },
  gray: { channels: 1 },
  "not turned": { orient: false },
};

describe.skipIf(withoutBrowser !== "")(`images in a page${withoutBrowser}`, () => {
  it("decodes and resizes to the values of Node, or as near as the decoders of JPEG are", async () => {
    const files: Record<string, Uint8Array> = {};
    for (const [name, [file]] of Object.entries(images)) files[`/${name.replaceAll(" ", "-")}`] = await file();
    const jpeg = files["/jpeg"]!;
    const damaged: Record<string, Uint8Array> = {
      "/cut.jpeg": jpeg.subarray(0, jpeg.length >> 1),
      "/cut.png": files["/png"]!.subarray(0, files["/png"]!.length >> 1),
      "/cut.webp": files["/webp"]!.subarray(0, files["/webp"]!.length >> 1),
      "/broken.png": files["/png"]!.map((byte, at) => (at > 60 ? byte ^ 0x55 : byte)),
      "/cmyk": await opaque().toColourspace("cmyk").jpeg().toBuffer(),
      "/tiff": await opaque().tiff().toBuffer(),
      "/text": new TextEncoder().encode("no picture"),
      "/none": new Uint8Array(),
    };
    const { values, messages } = await runInPage<{ values: Record<string, [number[], number[]]>; messages: string[] }>(
      `import { decodeImage } from "@convkit/datasets";
      const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
      const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
      export async function run() {
        const values = {};
        for (const path of ${JSON.stringify(Object.keys(files))})
          for (const [way, options] of Object.entries(${JSON.stringify(ways)})) {
            if (path === "/png-on-its-side" && way === "not turned") continue;
            const blob = async () => (await fetch(path)).blob();
            const given = way === "smaller" ? path : way === "gray" ? await blob() : await bytesOf(path);
            const { data, shape } = await decodeImage(given, options);
            values[path + " " + way] = [shape, Array.from(data)];
          }
        const messages = [];
        for (const path of ${JSON.stringify(Object.keys(damaged))}) messages.push(await message(async () => decodeImage(await bytesOf(path))));
        messages.push(await message(() => decodeImage("/nowhere")));
        messages.push(await message(async () => decodeImage(await bytesOf("/png-on-its-side"), { orient: false })));
        messages.push(await message(async () => decodeImage(await bytesOf("/jpeg"), { pixelLimit: 100 })));
        messages.push(await message(async () => decodeImage(await bytesOf("/webp"), { pixelLimit: 100 })));
        return { values, messages };
      }`,
      { files: { ...files, ...damaged } },
    );
    const far: string[] = [];
    for (const [name, [, [most, gray, mean]]] of Object.entries(images)) {
      const path = `/${name.replaceAll(" ", "-")}`;
      for (const [way, options] of Object.entries(ways)) {
        if (name === "png on its side" && way === "not turned") continue;
        const expected = await decodeImage(files[path]!, options);
        const [shape, data] = values[`${path} ${way}`]!;
        expect(shape, `${name}, ${way}`).toEqual(expected.shape);
        const differences = data.map((value, at) => Math.abs(value - expected.data[at]!));
        const [largest, middle] = [Math.max(...differences), differences.reduce((a, b) => a + b) / differences.length];
        if (largest > (way === "gray" ? gray : most) || middle > mean)
          far.push(`${name}, ${way}: ${largest}, ${middle.toFixed(3)}`);
      }
    }
    const because = (reason: string) => `DataError: The image cannot be decoded: ${reason}`;
    const cut = because("it is cut off: its end is missing");
    const large = because(
      "it says it is 47x61, which is more than 100 pixels; if you trust the file, raise pixelLimit",
    );
    expect(messages).toEqual([
      cut,
      cut,
      cut,
      cut,
      because("it is a CMYK JPEG, whose colors each browser converts in its own way; save it as RGB"),
      because("it is a TIFF, which web pages do not decode; save it as PNG"),
      because("it starts as no known image does (6e6f2070)"),
      because("it has no bytes"),
      "DataError: /nowhere cannot be decoded: its address answers 404",
      because("it is a png with EXIF data, by which browsers may turn it: leave orient out"),
      large,
      large,
    ]);
    expect(far).toEqual([]);
  });
});
