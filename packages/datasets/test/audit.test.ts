import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { uniformStream } from "@convkit/augment/internal";
import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { hashDistance, measureImage } from "../src/audit/image-measures.ts";
import { groupsOf, nearPairs } from "../src/audit/near-doubles.ts";
import { type AuditProblem, auditImages, findLabelIssues } from "../src/index.ts";
import { put, temporaryFolder } from "./temporary.ts";

interface Golden {
  readonly images: readonly {
    readonly shape: readonly [number, number, number];
    readonly pixels: readonly number[];
    readonly brightness: number;
    readonly contrast: number;
    readonly sharpness: number;
  }[];
  readonly issues: readonly {
    readonly classes: number;
    readonly labels: readonly number[];
    readonly probabilities: readonly number[];
    readonly issues: readonly number[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL("golden/audit.json", import.meta.url), "utf8")) as Golden;

describe("measures of an image", () => {
  test.each(golden.images)(
    "of $shape are OpenCV's",
    ({ shape: [h, w, c], pixels, brightness, contrast, sharpness }) => {
      const measured = measureImage({ data: Uint8Array.from(pixels), shape: [h, w, c] });
      expect(measured.brightness).toBeCloseTo(brightness, 9);
      expect(measured.contrast).toBeCloseTo(contrast, 9);
      expect(measured.sharpness).toBeCloseTo(sharpness, 6);
    },
  );

  test("near pairs are those that comparing all with all finds", () => {
    const uniform = uniformStream(3, 0);
    const word = () => Math.floor(uniform() * 2 ** 32);
    const hashes = Array.from({ length: 60 }, () => Uint32Array.from({ length: 4 }, word));
    for (let i = 0; i < 40; i++) {
      const copy = hashes[Math.floor(uniform() * 60)]!.slice();
      for (let flips = Math.floor(uniform() * 14); flips > 0; flips--)
        copy[Math.floor(uniform() * 4)]! ^= 1 << Math.floor(uniform() * 32);
      hashes.push(copy);
    }
    for (const most of [0, 3, 8]) {
      const expected = hashes.flatMap((a, i) =>
        hashes.flatMap((b, j) => (i < j && hashDistance(a, b) <= most ? [[i, j]] : [])),
      );
      expect(nearPairs(hashes, most)).toEqual(expected);
    }
    expect(
      groupsOf([
        [0, 4],
        [5, 9],
        [4, 7],
        [7, 8],
        [3, 9],
        [2, 8],
      ]),
    ).toEqual([
      [0, 2, 4, 7, 8],
      [3, 5, 9],
    ]);
  });
});

describe("labels that are probably wrong", () => {
  test.each(golden.issues)(
    "of $classes classes are those of cleanlab, in its order",
    ({ classes, labels, probabilities, issues }) => {
      const found = findLabelIssues(labels, probabilities, classes);
      expect(issues.length).toBeGreaterThan(0);
      expect(found.map(({ index }) => index)).toEqual(issues);
      for (const { index, label, predicted, probability } of found) {
        const row = probabilities.slice(index * classes, (index + 1) * classes);
        expect([label, predicted, probability]).toEqual([labels[index], row.indexOf(Math.max(...row)), row[label]]);
      }
    },
  );

  test.each([
    [[0, 1], [0.5, 0.5], 2, /expected 4 probabilities for 2 labels and 2 classes, got 2/],
    [[0, 2], [1, 0, 1, 0], 2, /expected classes from 0 to 1, got 2 for image 1/],
    [[0, 1], [1, 0, Number.NaN, 0], 2, /expected probabilities from 0 to 1, got NaN for image 1/],
    [[0], [1], 1, /expected a whole number of classes from 2, got 1/],
  ] as const)("%j with %j is refused", (labels, probabilities, classes, message) => {
    expect(() => findLabelIssues(labels, probabilities, classes)).toThrow(message);
  });
});

/** A picture of smooth blobs, `[h, w, 3]`, that differs by seed. */
function picture(seed: number, height = 90, width = 120): Sharp {
  const uniform = uniformStream(seed, 0);
  const waves = Array.from({ length: 6 }, () => [uniform() * 0.12, uniform() * 0.12, uniform() * 6] as const);
  const pixels = Uint8Array.from({ length: height * width * 3 }, (_, at) => {
    const [row, column] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width];
    const sum = waves.reduce((total, [a, b, c]) => total + Math.sin(row * a + column * b + c), 0);
    return Math.max(0, Math.min(255, 128 + 40 * sum + ((at * 7919) % 31) - 15));
  });
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function auditedFolder(): Promise<string> {
  const folder = temporaryFolder();
  const write = async (name: string, image: Sharp, form: "jpeg" | "png" = "jpeg") =>
    put(folder, name, await image.toFormat(form, { quality: 92 }).toBuffer());
  for (let i = 0; i < 6; i++) await write(`train/${i % 2 === 0 ? "cat" : "dog"}/${i}.jpg`, picture(i));
  for (const name of ["cat", "dog"]) await write(`val/${name}/own.jpg`, picture(name === "cat" ? 20 : 21));
  await write("train/cat/dark.jpg", picture(30).linear(0.1, 0));
  await write("train/cat/bright.jpg", picture(31).linear(0.2, 215));
  await write("train/dog/flat.jpg", picture(32).linear(0.03, 120));
  await write("train/dog/blurred.jpg", picture(33).blur(8));
  await write("train/dog/long.jpg", picture(34, 20, 200));
  await write("train/dog/png.jpg", picture(35), "png");
  put(folder, "train/dog/cut.jpg", (await picture(36).jpeg().toBuffer()).subarray(0, 900));
  put(folder, "train/dog/<b>.txt", "no image");
  copyFileSync(join(folder, "train/cat/0.jpg"), join(folder, "val/cat/copy.jpg"));
  await write("train/cat/smaller.jpg", sharp(await picture(1).resize(90, 68).jpeg({ quality: 60 }).toBuffer()));
  return folder;
}

describe("an audit of a folder", () => {
  test("finds what is wrong with each image, and doubles within and across splits and classes", async () => {
    const folder = await auditedFolder();
    const seen: [number, number][] = [];
    const audit = await auditImages(folder, { onProgress: (read, all) => void seen.push([read, all]) });
    expect(seen.at(-1)).toEqual([17, 17]);
    expect(audit.classes).toEqual({ train: { cat: 6, dog: 8 }, validation: { cat: 2, dog: 1 } });
    expect(audit.images).toBe(17);
    const named = (problem: AuditProblem) =>
      audit.findings.filter((each) => each.problem === problem).map(({ file }) => file);
    expect(named("unreadable").toSorted()).toEqual(["train/dog/<b>.txt", "train/dog/cut.jpg"]);
    expect(named("wrong extension")).toEqual(["train/dog/png.jpg"]);
    expect(named("dark")).toEqual(["train/cat/dark.jpg"]);
    expect(named("overexposed")).toEqual(["train/cat/bright.jpg"]);
    expect(named("low contrast")).toContain("train/dog/flat.jpg");
    expect(named("blurred")).toContain("train/dog/blurred.jpg");
    expect(named("blurred")).not.toContain("train/cat/0.jpg");
    expect(named("odd size")).toEqual(["train/dog/long.jpg"]);
    expect(audit.doubles).toEqual([
      { kind: "exact", files: ["train/cat/0.jpg", "val/cat/copy.jpg"], isLeak: true, isContradiction: false },
      { kind: "near", files: ["train/cat/smaller.jpg", "train/dog/1.jpg"], isLeak: false, isContradiction: true },
    ]);
  });

  test("bad limits and folders are refused", async () => {
    await expect(auditImages(temporaryFolder())).rejects.toThrow(/holds no images/);
    await expect(auditImages(".", { distance: 99 })).rejects.toThrow(
      /distance should be a whole number from 0 to 32, not 99/,
    );
    await expect(auditImages(".", { dark: Number.NaN })).rejects.toThrow(/dark should be a number from 0, not NaN/);
    await expect(auditImages(".", { darkness: 3 } as object)).rejects.toThrow(/darkness/);
  });
});
