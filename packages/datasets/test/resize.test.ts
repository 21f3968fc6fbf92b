import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assemble } from "@convkit/testing/assemble";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bilinearWasm } from "../src/images/resize/bilinear-wasm.ts";
import { uniformStream } from "@convkit/augment/internal";
import { centerRegion, fitInto, resizeInto, resizeModes } from "../src/images/resize/resize.ts";
import type { ResizeMode } from "../src/images/resize/resize.ts";
import { weightedWasm } from "../src/images/resize/weighted-wasm.ts";

interface Golden {
  shape: [number, number, number];
  source: number[];
  cases: { mode: ResizeMode; size: [number, number]; crop: boolean; tenths: number[] }[];
}

const golden = JSON.parse(readFileSync(new URL("./golden/resize.json", import.meta.url), "utf8")) as Golden;
const source = { data: Uint8Array.from(golden.source), shape: golden.shape };

describe("resizing 12x10 gives TensorFlow's pixels, rounded", () => {
  it.each(golden.cases)("$mode to $size, crop $crop", ({ mode, size, crop, tenths }) => {
    const target = new Uint8Array(size[0] * size[1] * 3);
    const [h, w] = source.shape;
    resizeInto(target, size, source, mode, crop ? centerRegion([h, w], size) : undefined);
    // Half a level for rounding, half a tenth for the golden's own. Bicubic overshoots; bytes end at 0 and 255.
    const far = tenths.map((value, i) => Math.abs(Math.min(255, Math.max(0, value / 10)) - target[i]!));
    expect(Math.max(...far)).toBeLessThanOrEqual(0.551);
  });
});

interface TorchvisionGolden {
  pictures: { shape: [number, number, number]; source: number[]; fits: { size: number; pixels: number[] }[] }[];
}

const { pictures } = JSON.parse(
  readFileSync(new URL("./golden/torchvision.json", import.meta.url), "utf8"),
) as TorchvisionGolden;

describe("a share of 0.875 of an antialiased picture gives torchvision's resized and cropped pixels", () => {
  const rows = pictures.flatMap(({ fits, ...picture }) => fits.map((fit) => ({ ...picture, ...fit })));
  it.each(rows)("$shape to $size", ({ shape, source: values, size, pixels }) => {
    const target = new Uint8Array(size * size * 3);
    const picture = { data: Uint8Array.from(values), shape };
    fitInto(target, [size, size], picture, { resize: "antialiased", crop: 0.875 });
    // Pillow rounds the columns and then the rows.
    expect(Math.max(...pixels.map((value, i) => Math.abs(value - target[i]!)))).toBeLessThanOrEqual(1);
  });
});

describe("resizing", () => {
  it("to the same size changes nothing, in any mode", () => {
    for (const mode of resizeModes) {
      const target = new Uint8Array(source.data.length);
      resizeInto(target, [12, 10], source, mode);
      expect(target).toEqual(source.data);
    }
  });

  it("keeps an even picture even, at any size and in any mode", () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.nat(255),
        fc.constantFrom(...resizeModes),
        (h, w, height, width, level, mode) => {
          const target = new Uint8Array(height * width * 2);
          resizeInto(target, [height, width], { data: new Uint8Array(h * w * 2).fill(level), shape: [h, w, 2] }, mode);
          expect(new Set(target)).toEqual(new Set([level]));
        },
      ),
    );
  });

  // Six roundings in single precision, each of at most 2 ** -17 below 256, may tip a value that lies so near a half.
  const slack = 2 ** -14;

  it.each([1, 3])("of %i channels takes the nearest byte to the exact value", (channels) => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(side, fc.integer({ min: 1, max: 90 }), side, side, fc.nat(), (h, w, height, width, seed) => {
        const uniform = uniformStream(seed, 0);
        const data = Uint8Array.from({ length: h * w * channels }, () => uniform() * 256);
        const target = new Uint8Array(height * width * channels);
        resizeInto(target, [height, width], { data, shape: [h, w, channels] }, "bilinear");
        const exact = exactBilinear(data, [h, w, channels], [height, width]);
        const far = exact.map((value, i) => Math.abs(value - target[i]!));
        expect(Math.max(...far)).toBeLessThanOrEqual(0.5 + slack);
      }),
      {
        // Ties, which single precision once rounded the other way.
        examples: [[3, 66, 35, 1, 26]],
      },
    );
  });

  it.each([
    // Larger than what the kernel holds at a time, with and without rows that are left out.
    [700, 300, 90, 80],
    [300, 700, 280, 50],
    [420, 500, 130, 170],
  ])("of a %i x %i picture to %i x %i takes the nearest byte too, of a part of it as well", (h, w, height, width) => {
    const uniform = uniformStream(h, 0);
    const data = Uint8Array.from({ length: h * w * 3 }, () => uniform() * 256);
    const [top, left, rows, columns] = [1, 2, h - 4, w - 5];
    const part = new Uint8Array(rows * columns * 3);
    resizeInto(part, [rows, columns], { data, shape: [h, w, 3] }, "bilinear", [top, left, rows, columns]);
    // Memory that begins anywhere.
    const target = new Uint8Array(new SharedArrayBuffer(height * width * 3 + 3), 3);
    resizeInto(target, [height, width], { data, shape: [h, w, 3] }, "bilinear", [top, left, rows, columns]);
    const exact = exactBilinear(part, [rows, columns, 3], [height, width]);
    const far = exact.reduce((most, value, i) => Math.max(most, Math.abs(value - target[i]!)), 0);
    expect(far).toBeLessThanOrEqual(0.5 + slack);
  });

  it.each(["bicubic", "area", "antialiased"] as const)(
    "%s of colours (WebAssembly) is that of each channel alone (JavaScript)",
    (mode) => {
      const side = fc.integer({ min: 1, max: 40 });
      fc.assert(
        fc.property(side, fc.integer({ min: 1, max: 90 }), side, side, fc.nat(), (h, w, height, width, seed) => {
          const uniform = uniformStream(seed, 0);
          const data = Uint8Array.from({ length: h * w * 3 }, () => uniform() * 256);
          const whole = new Uint8Array(height * width * 3);
          resizeInto(whole, [height, width], { data, shape: [h, w, 3] }, mode);
          for (const channel of [0, 1, 2]) {
            const alone = new Uint8Array(height * width);
            const pixels = data.filter((_, i) => i % 3 === channel);
            resizeInto(alone, [height, width], { data: pixels, shape: [h, w, 1] }, mode);
            // Single against double precision: only a value near a half may be rounded another way, and by no more than one.
            const far = alone.map((value, i) => Math.abs(value - whole[3 * i + channel]!));
            expect(Math.max(...far)).toBeLessThanOrEqual(1);
          }
        }),
      );
    },
  );

  it.each([
    ["bilinear", bilinearWasm],
    ["weighted", weightedWasm],
  ])("uses the %s kernel that its source compiles to", async (name, wasm) => {
    expect(await assemble(fileURLToPath(new URL("../assembly", import.meta.url)), name)).toBe(wasm);
  });

  it.each([
    [
      [340, 500],
      [200, 200],
      [0, 80, 340, 340],
    ],
    [
      [500, 340],
      [200, 200],
      [80, 0, 340, 340],
    ],
    [
      [100, 100],
      [50, 100],
      [25, 0, 50, 100],
    ],
    [
      [3, 1000],
      [10, 1],
      [0, 499, 3, 1],
    ],
  ] as const)("of %o to %o takes the middle %o", (from, to, region) => {
    expect(centerRegion(from, to)).toEqual(region);
  });
});

/** Bilinear values in double precision, from where TensorFlow samples; not rounded. */
function exactBilinear(
  data: Uint8Array,
  [h, w, c]: readonly [number, number, number],
  [height, width]: readonly [number, number],
): number[] {
  const sample = (i: number, size: number, from: number) => {
    const at = Math.fround(Math.fround((i + 0.5) * Math.fround(from / size)) - 0.5);
    const low = Math.max(Math.floor(at), 0);
    return { low, high: Math.min(Math.floor(at) + 1, from - 1), share: at - Math.floor(at) };
  };
  const values: number[] = [];
  for (let y = 0; y < height; y++) {
    const vertical = sample(y, height, h);
    for (let x = 0; x < width; x++) {
      const horizontal = sample(x, width, w);
      for (let channel = 0; channel < c; channel++) {
        const mix = (row: number) => {
          const pixel = (column: number) => data[(row * w + column) * c + channel]!;
          return pixel(horizontal.low) * (1 - horizontal.share) + pixel(horizontal.high) * horizontal.share;
        };
        values.push(mix(vertical.low) * (1 - vertical.share) + mix(vertical.high) * vertical.share);
      }
    }
  }
  return values;
}
