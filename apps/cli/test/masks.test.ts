import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "./run-cli.ts";

const side = 16;
const folder = mkdtempSync(join(tmpdir(), "convkit-masks-"));
const data = join(folder, "squares");
const run = join(folder, "run");

/** Red rectangles on a dark ground, and where they are; the first column of each mask is not judged. */
beforeAll(async () => {
  writeFileSync(join(folder, "classes.txt"), "ground\nred\n");
  for (const [split, count] of [
    ["train", 16],
    ["test", 5],
  ] as const) {
    for (const name of ["images", "masks"]) mkdirSync(join(data, split, name), { recursive: true });
    for (let i = 0; i < count; i += 1) {
      const [top, left] = [(i * 3) % 9, (i * 5) % 8];
      const mask = new Uint8Array(side * side);
      const pixels = new Uint8Array(side * side * 3);
      for (let place = 0; place < side * side; place += 1) {
        const [y, x] = [Math.floor(place / side), place % side];
        const isRed = y >= top && y < top + 6 && x >= left && x < left + 7;
        mask[place] = x === 0 ? 255 : Number(isRed);
        pixels.set(isRed ? [210, 40, 30] : [40 + (place % 30), 60, 80], place * 3);
      }
      const raw = { width: side, height: side };
      const files = [`images/${i}.png`, `masks/${i}.png`].map((name) => join(data, split, name));
      await sharp(pixels, { raw: { ...raw, channels: 3 } })
        .png()
        .toFile(files[0]!);
      await sharp(mask, { raw: { ...raw, channels: 1 } })
        .toColorspace("b-w")
        .png()
        .toFile(files[1]!);
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The values of a grayscale PNG. */
async function valuesOf(file: string): Promise<Uint8Array> {
  const { data: values, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return Uint8Array.from({ length: info.width * info.height }, (_, i) => values[i * info.channels]!);
}

const network = ["--input", "16x16x3", "--widths", "4,8"];
const masks = ["--mask-classes", "ground,red", "--mask-ignore", "255"];

describe("a network with a class for each pixel", () => {
  test("is trained, with pictures in its report", async () => {
    const augment = '{"augment": {"flip": "both", "brightness": 0.05}, "classWeights": "balanced"}';
    const more = ["--epochs", "8", "--lr", "0.02", "--batch", "4", "--seed", "3", "--plan", augment];
    const { status, out, err } = await call(
      "train",
      "unet",
      "--data",
      data,
      ...network,
      ...masks,
      ...more,
      "--out",
      run,
      "--json",
    );
    expect(status, err).toBe(0);
    const { test: judged } = JSON.parse(out) as {
      test: { metrics: Record<string, number>; outputs: { masks?: unknown }[] };
    };
    expect(judged.metrics["mean-iou"]).toBeGreaterThan(0.8);
    expect(judged.outputs[0]!.masks).toBeUndefined();
    expect(readFileSync(join(run, "metrics.json"), "utf8").length).toBeLessThan(20_000);
    const page = readFileSync(join(run, "report.html"), "utf8");
    expect(page).toContain("Least overlap");
    expect(page.match(/true mask"/g)?.length).toBe(2 * 5);
  });

  test("is evaluated as its written masks are, by plain loops", async () => {
    const { status, out, err } = await call("evaluate", run, "--data", data, "--json");
    expect(status, err).toBe(0);
    const { metrics, outputs } = JSON.parse(out) as {
      metrics: Record<string, number>;
      outputs: { overlaps: number[]; perClass: { label: string; support: number }[] }[];
    };
    const folders = [join(data, "test/images"), join(folder, "written")] as const;
    const told = await call("predict", run, folders[0], "--masks", folders[1], "--json");
    expect(told.status, told.err).toBe(0);
    const answers = JSON.parse(told.out) as {
      image: string;
      mask: string;
      classes: { label: string; share: number }[];
    }[];
    expect(answers).toHaveLength(5);
    expect(readdirSync(folders[1]).length).toBe(10);
    const counts = [0, 1].map(() => ({ both: 0, actual: 0, predicted: 0 }));
    let [right, judged] = [0, 0];
    for (const { image, mask, classes } of answers) {
      const predicted = await valuesOf(mask);
      const actual = await valuesOf(image.replace("images", "masks"));
      const red = predicted.filter((value) => value === 1).length / predicted.length;
      expect(classes.find(({ label }) => label === "red")?.share ?? 0).toBeCloseTo(red, 6);
      for (const [place, value] of actual.entries()) {
        if (value === 255) continue;
        judged += 1;
        if (value === predicted[place]) right += 1;
        counts[value]!.actual += 1;
        counts[predicted[place]!]!.predicted += 1;
        if (value === predicted[place]) counts[value]!.both += 1;
      }
    }
    const shares = counts.map(({ both, actual, predicted }) => both / (actual + predicted - both));
    expect(outputs[0]!.overlaps[0]).toBeCloseTo(shares[0]!, 6);
    expect(outputs[0]!.overlaps[1]).toBeCloseTo(shares[1]!, 6);
    expect(outputs[0]!.perClass.map(({ label, support }) => [label, support])).toEqual([
      ["ground", counts[0]!.actual],
      ["red", counts[1]!.actual],
    ]);
    expect(metrics["accuracy"]).toBeCloseTo(right / judged, 6);
    expect(metrics["mean-iou"]).toBeCloseTo((shares[0]! + shares[1]!) / 2, 6);
  });

  test("refuses what does not fit in a sentence", async () => {
    const bare = await call("train", "unet", "--data", data, ...network, "--out", join(folder, "none"));
    expect([bare.status, bare.err]).toEqual([
      1,
      expect.stringMatching(/the masks have the values 0, 1, 255; expected 0, 1, 2/),
    ]);
    const classes = await call("train", "unet", "--data", "mnist", "--out", join(folder, "none"));
    expect([classes.status, classes.err]).toEqual([
      2,
      expect.stringMatching(/unet needs images with masks: mnist should be/),
    ]);
    const other = await call(
      "train",
      "lenet5",
      "--data",
      data,
      ...masks,
      "--input",
      "16x16x3",
      "--out",
      join(folder, "none"),
    );
    expect(other.err).toMatch(/mask of squares\/train is a mask, which needs a network .*, such as unet/);
    const odd = await call(
      "train",
      "unet",
      "--data",
      data,
      ...masks,
      "--input",
      "20x16x3",
      "--out",
      join(folder, "none"),
    );
    expect(odd.err).toMatch(/unet: expected a height and a width that are multiples of 16 for 4 halvings, got 20/);
    const csv = await call("evaluate", run, "--data", data, "--csv", join(folder, "x.csv"));
    expect([csv.status, csv.err]).toEqual([
      2,
      expect.stringMatching(/predict --masks FOLDER writes masks as pictures/),
    ]);
  });
});
