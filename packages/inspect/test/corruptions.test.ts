import { readFileSync } from "node:fs";
import { corrupt, corruptionNames, evaluateRobustness } from "@convkit/inspect";
import { describe, expect, it } from "vitest";
import { corruptWith } from "../src/robustness/corruptions.ts";

const golden = JSON.parse(readFileSync(new URL("golden/corruptions.json", import.meta.url), "utf8")) as Record<
  string,
  string | string[]
>;

/** As `values` of tools/golden/inspect_networks.py. */
const values = (seed: number, count: number, scale: number): number[] =>
  Array.from({ length: count }, (_, i) => ((Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453) % 1) * scale);

const shape = [40, 44, 3] as const;
const pixels = new Uint8Array(Buffer.from(golden["pixels"] as string, "base64"));
const draws = {
  normal: (count: number) => values(32, count, 2),
  uniform: (count: number, stream: number) => values(33 + stream, count, 1).map(Math.abs),
};
const photo = {
  shape: [50, 60, 3] as const,
  pixels: Uint8Array.from(values(35, 50 * 60 * 3, 0.5), (value) => Math.floor((value + 0.5) * 256)),
};

describe.each(corruptionNames)("%s", (kind) => {
  it.each([1, 2, 3, 4, 5])("with severity %i is ImageNet-C's", (severity) => {
    const made = corruptWith(pixels, shape, { kind, severity, photos: [photo] }, draws);
    // The script keeps every 17th value.
    const wanted = [...Buffer.from(golden[kind]![severity - 1]!, "base64")];
    expect(wanted).toHaveLength(Math.ceil(pixels.length / 17));
    // A value just at a whole number may be cut off on either side.
    const off = wanted.map((value, i) => Math.abs(value - made[17 * i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
    expect(off.filter((each) => each > 0).length).toBeLessThanOrEqual(wanted.length / 100);
  });
});

const colored = (kind: string): boolean => kind === "saturate" || kind === "spatter";

it.each(corruptionNames.filter((kind) => !colored(kind) && !kind.endsWith("-noise")))(
  "%s of a gray image is that of three equal channels",
  (kind) => {
    const [gray, size] = [pixels.filter((_, i) => i % 3 === 0), [40, 44] as const];
    const colored = Uint8Array.from({ length: 3 * gray.length }, (_, i) => gray[Math.floor(i / 3)]!);
    const ice = { ...photo, pixels: photo.pixels.map((_, i) => photo.pixels[i - (i % 3)]!) };
    const options = { kind, severity: 3, seed: 5, photos: [ice] };
    const made = corrupt(gray, [...size, 1], options);
    const wanted = corrupt(colored, [...size, 3], options).filter((_, i) => i % 3 === 0);
    // 0.2989 + 0.587 + 0.114 is 0.9999 for frost, and colors are rounded on their way to hue and back.
    made.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1));
    expect(corrupt(gray, [...size, 1], { ...options, seed: 6 })).toHaveLength(gray.length);
  },
);

it.each([1, 2, 3, 4, 5])(
  "spatter of a dark gray image with severity %i is the gray of the colored image",
  (severity) => {
    const count = 40 * 44;
    const options = { kind: "spatter", severity, seed: 5 } as const;
    const made = corrupt(new Uint8Array(count).fill(16), [40, 44, 1], options);
    const rgb = corrupt(new Uint8Array(3 * count).fill(16), shape, options);
    const off = made.map((value, i) =>
      Math.abs(value - (0.2125 * rgb[3 * i]! + 0.7154 * rgb[3 * i + 1]! + 0.0721 * rgb[3 * i + 2]!)),
    );
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
    expect(new Set(made).size).toBeGreaterThan(2);
  },
);

it("frost asks for photographs that are large enough", () => {
  const make = (photos?: (typeof photo)[]) => () => corrupt(pixels, shape, { kind: "frost", severity: 1, photos });
  expect(make()).toThrow("expected photos for frost, bytes of RGB images of 40x44 pixels or more, got none");
  expect(make([{ ...photo, shape: [30, 100, 3] as never }])).toThrow("got 9000 bytes for 30x100x3");
  expect(make([photo])()).toHaveLength(pixels.length);
});

it("frost is evaluated where photographs are given", async () => {
  const kindsOf = async (options: object) => Object.keys((await evaluateRobustness(async () => 1, options)).byKind);
  const all: readonly string[] = corruptionNames;
  expect(await kindsOf({ severities: [1] })).toEqual(all.filter((kind) => kind !== "frost"));
  expect(await kindsOf({ severities: [1], photos: [photo] })).toEqual(all);
  await expect(kindsOf({ kinds: ["frost"] })).rejects.toThrow("expected photos for frost");
});

it("noise follows the seed, and has the deviation that the kind says", () => {
  const gray = new Uint8Array(100 * 100).fill(128);
  const make = (seed: number) => corrupt(gray, [100, 100, 1], { kind: "gaussian-noise", severity: 1, seed });
  expect(make(1)).toEqual(make(1));
  expect(make(2)).not.toEqual(make(1));
  const noise = Float64Array.from(make(1), (value) => (value + 0.5) / 255 - 128 / 255);
  const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
  expect(Math.abs(deviation - 0.08)).toBeLessThan(0.002);
  const salted = corrupt(gray, [100, 100, 1], { kind: "impulse-noise", severity: 3 });
  expect(Math.abs(salted.filter((value) => value !== 128).length / 10_000 - 0.09)).toBeLessThan(0.01);
  expect(() => corrupt(gray, [100, 100, 1], { kind: "saturate", severity: 1 })).toThrow("one channel");
  expect(() => corrupt(gray, [100, 100, 1], { kind: "contrast", severity: 6 })).toThrow("from 1 to 5, got 6");
});
