import { describe, expect, test } from "vitest";
import { parseLayers, pathsTo, rowsOf } from "../../../docs/play/field.ts";
import { sizeText, windowOptions } from "../../../docs/play/window.ts";

/** What the site's pages compute in the browser. */

describe("receptive field that can be dragged", () => {
  test("reads layers", () => {
    expect(parseLayers("3,p2,3s2,5d2")).toEqual([
      { name: "3x3", kernel: 3, stride: 1, dilation: 1 },
      { name: "pool 2x2", kernel: 2, stride: 2, dilation: 1 },
      { name: "3x3, stride 2", kernel: 3, stride: 2, dilation: 1 },
      { name: "5x5, dilation 2", kernel: 5, stride: 1, dilation: 2 },
    ]);
    expect(() => parseLayers("3,x")).toThrow(/expected layers/);
  });

  // Sizes by hand: a layer adds (f - 1) times the strides before it.
  test.each([
    ["3,3", 5],
    ["3,3,3", 7],
    ["3,3,p2,3,3", 1 + 2 + 2 + 1 + 4 + 4],
    ["7s2,3s2", 7 + 2 * 2],
    ["3d2,3", 1 + 4 + 2],
  ])("%s sees %i pixels in a row", (text, size) => {
    const [image] = pathsTo(parseLayers(text), 64, 8);
    const pixels = [...image!.keys()];
    expect(Math.max(...pixels) - Math.min(...pixels) + 1).toBe(size);
  });

  test("counts paths: two 3x3 give 1, 2, 3, 2, 1, which are the effective field's weights", () => {
    const [image] = pathsTo(parseLayers("3,3"), 32, 10);
    expect([...image!].toSorted(([a], [b]) => a - b)).toEqual([
      [8, 1],
      [9, 2],
      [10, 3],
      [11, 2],
      [12, 1],
    ]);
  });

  test("a value lies above the middle of its field", () => {
    for (const text of ["3,3,p2,3,3", "3s2,3d2", "p2,p2", "5,3s2"]) {
      const layers = parseLayers(text);
      const [image] = pathsTo(layers, 32, 3);
      const top = rowsOf(layers, 32).at(-1)!;
      const pixels = [...image!.keys()];
      expect([text, top.start + 3 * top.step]).toEqual([text, (Math.min(...pixels) + Math.max(...pixels)) / 2]);
    }
    expect(rowsOf(parseLayers("3,p2,3s2"), 32).map(({ cells }) => cells)).toEqual([32, 32, 16, 8]);
  });
});

describe("window with controls", () => {
  const settings = { input: 5, kernel: 3, stride: 1, padding: 0, dilation: 1, operation: "convolution" } as const;

  test("tells the size with its formula", () => {
    expect(sizeText(settings)).toBe("(H + 2P - F) / S + 1 = (5 + 2 * 0 - 3) / 1 + 1 = 3.");
    expect(sizeText({ ...settings, kernel: 4, padding: 2 })).toContain("= 6.");
    expect(sizeText({ ...settings, input: 6, stride: 2 })).toContain("= 2. 3 / 2 is not whole");
    expect(sizeText({ ...settings, input: 7, dilation: 2 })).toContain("= 3, where F = (3 - 1) * 2 + 1 = 5.");
    expect(() => sizeText({ ...settings, kernel: 5, dilation: 2 })).toThrow(/does not fit/);
  });

  test("has an image with one edge, and a kernel that finds it", () => {
    expect(windowOptions(settings)).toMatchObject({
      input: [
        [1, 1, 1, 6, 6],
        [2, 2, 2, 7, 7],
        [3, 3, 3, 6, 6],
        [1, 1, 1, 7, 7],
        [2, 2, 2, 6, 6],
      ],
      kernel: [
        [-1, 0, 1],
        [-1, 0, 1],
        [-1, 0, 1],
      ],
    });
  });
});
