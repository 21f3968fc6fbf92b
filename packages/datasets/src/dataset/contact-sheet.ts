import sharp from "sharp";
import { DataError } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";
import type { Batch } from "./dataset.ts";

export interface ContactSheetOptions {
  /** Pictures per row; by default the sheet is nearly square. */
  readonly columns?: number | undefined;
  /** How many times each pixel is repeated in both directions; by default small pictures are enlarged. */
  readonly scale?: number | undefined;
  /** The text under each picture; none by default. */
  readonly captions?: readonly string[] | undefined;
}

const gap = 4;
const captionHeight = 18;
const background = { r: 24, g: 26, b: 31 };

/** Draws the pictures of a batch in a grid with a caption under each, as PNG. Floats are clipped to 0..255. */
export async function contactSheet(
  { images, shape: [n, h, w, c] }: Pick<Batch, "images" | "shape">,
  options: ContactSheetOptions = {},
): Promise<Buffer> {
  checkNames("contactSheet", options, { columns: true, scale: true, captions: true });
  const {
    columns = Math.ceil(Math.sqrt(n)),
    scale = Math.max(1, Math.floor(128 / Math.max(h, w))),
    captions,
  } = options;
  if (n === 0) throw new DataError("A contact sheet needs at least one image");
  if (c !== 1 && c !== 3) throw new DataError(`A contact sheet shows images of 1 or 3 channels, not ${c}`);
  const [height, width] = [h * scale, w * scale];
  const cell = { height: height + gap + (captions === undefined ? 0 : captionHeight), width: width + gap };
  const across = Math.min(columns, n);
  const sheet = { width: across * cell.width + gap, height: Math.ceil(n / across) * cell.height + gap };
  const bytes = images instanceof Uint8Array ? images : Uint8ClampedArray.from(images);
  const pictures = await Promise.all(
    Array.from({ length: n }, async (_, place) => {
      const pixels = bytes.subarray(place * h * w * c, (place + 1) * h * w * c);
      const picture = sharp(pixels, { raw: { width: w, height: h, channels: c } }).resize(width, height, {
        kernel: "nearest",
        fit: "fill",
      });
      return {
        input: await picture.png().toBuffer(),
        left: gap + (place % across) * cell.width,
        top: gap + Math.floor(place / across) * cell.height,
      };
    }),
  );
  const layers = [...pictures];
  if (captions !== undefined) {
    const texts = pictures.map(({ left, top }, place) => {
      const fit = Math.max(3, Math.floor(width / 6.5));
      const text = printable(captions[place] ?? "");
      const shown = text.length > fit ? `${text.slice(0, fit - 1)}…` : text;
      return `<text x="${left}" y="${top + height + 13}">${escapeXml(shown)}</text>`;
    });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" height="${sheet.height}" font-family="sans-serif" font-size="11" fill="#c9ced6">${texts.join("")}</svg>`;
    layers.push({ input: Buffer.from(svg), left: 0, top: 0 });
  }
  return sharp({ create: { ...sheet, channels: 3, background } })
    .composite(layers)
    .png()
    .toBuffer();
}

/** Replaces characters that XML cannot hold by U+FFFD: control characters and unpaired surrogates. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return wellFormed(text).replaceAll(/[\u0000-\u001F\u007F-\u009F\uFFFE\uFFFF]/g, "\uFFFD");
}

/** Replaces each unpaired surrogate by U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function escapeXml(text: string): string {
  return wellFormed(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
