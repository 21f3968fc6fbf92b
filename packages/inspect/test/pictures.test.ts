import {
  attributionPixels,
  colorMap,
  featureMapPixels,
  filterPixels,
  imagePixels,
  mapPixels,
  overlayPixels,
} from "@convkit/inspect";
import type { Pixels } from "@convkit/inspect";
import { expect, it } from "vitest";

function pixel({ data, width }: Pixels, x: number, y: number): number[] {
  return [...data.subarray(4 * (y * width + x), 4 * (y * width + x + 1))];
}

it("color maps mix the two nearest stops", () => {
  expect(colorMap("gray")(0.5)).toEqual([127.5, 127.5, 127.5]);
  expect(colorMap("viridis")(0.2)).toEqual([0x41, 0x44, 0x87]);
  expect(colorMap("viridis")(0.1)).toEqual([(0x44 + 0x41) / 2, (0x01 + 0x44) / 2, (0x54 + 0x87) / 2]);
  expect(colorMap("inferno")(7)).toEqual([0xfc, 0xff, 0xa4]);
  expect(() => colorMap("jet" as never)).toThrow("expected one of gray, viridis");
  expect(pixel(mapPixels(Float32Array.of(0, 1), [1, 2], "gray"), 1, 0)).toEqual([255, 255, 255, 255]);
});

it("images are stretched, and maps lie over them", () => {
  const image = imagePixels([-1, 0, 1, 1, 1, 1], [1, 2, 3]);
  expect(pixel(image, 0, 0)).toEqual([0, 128, 255, 255]);
  const over = overlayPixels(image, Float32Array.of(0, 0.25));
  expect(pixel(over, 0, 0)).toEqual(pixel(image, 0, 0));
  const color = colorMap("inferno")(0.25);
  color.forEach((part, c) => expect(Math.abs(pixel(over, 1, 0)[c]! - (0.6 * 255 + 0.4 * part))).toBeLessThan(1));
});

it("attributions are red for the class and blue against it", () => {
  const picture = attributionPixels({ shape: [1, 3, 2], values: Float32Array.of(1, 1, -2, 0, 1, -1) });
  expect(pixel(picture, 0, 0).slice(0, 3)).toEqual([0x67, 0x00, 0x1f]);
  expect(pixel(picture, 1, 0).slice(0, 3)).toEqual([0x05, 0x30, 0x61]);
  expect(pixel(picture, 2, 0).slice(0, 3)).toEqual([0xf7, 0xf7, 0xf7]);
});

it("sheets have a tile for each channel and filter", () => {
  const map = { shape: [2, 3, 5] as const, values: Float32Array.from({ length: 30 }, (_, i) => i) };
  const sheet = featureMapPixels(map, { colors: "gray", columns: 3, gap: 2 });
  expect([sheet.width, sheet.height]).toEqual([3 * 3 + 2 * 2, 2 * 2 + 2]);
  // Channel 4 is in the second row and column; its values 4, 9 … 29 rise from the first position to the last.
  expect(pixel(sheet, 5, 4)[0]).toBe(0);
  expect(pixel(sheet, 6, 4)[0]).toBe(51);
  expect(pixel(sheet, 7, 5)[0]).toBe(255);
  expect(pixel(sheet, 3, 0)[3]).toBe(0);
  const filters = { shape: [1, 2, 3, 2] as const, values: Float32Array.of(0, 5, 2, 5, 4, 5, 6, 5, 8, 5, 10, 0) };
  const colors = filterPixels(filters);
  expect([0, 1].map((x) => pixel(colors, x, 0).slice(0, 3))).toEqual([
    [0, 51, 102],
    [153, 204, 255],
  ]);
  expect(pixel(colors, 4, 0).slice(0, 3)).toEqual([255, 255, 0]);
});
