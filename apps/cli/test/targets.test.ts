import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadData } from "@convkit/datasets";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-targets-"));
const csv = join(folder, "digits.csv");
const places = { tagged: join(folder, "tagged"), measured: join(folder, "measured") };
const trained = 600;

/** What is true of a handwritten digit: names of labels, and two measures of its pixels. */
function factsOf(digit: number, pixels: Uint8Array): { labels: string[]; ink: number; width: number } {
  const columns = Array.from({ length: 28 }, (_, x) => x).filter((x) =>
    Array.from({ length: 28 }, (_row, y) => pixels[y * 28 + x]!).some((value) => value > 127),
  );
  const ink = pixels.reduce((sum, value) => sum + value, 0) / (255 * 28 * 28);
  const labels = [...(digit % 2 === 0 ? ["even"] : []), ...([0, 6, 8, 9].includes(digit) ? ["loop"] : [])];
  return { labels, ink: Number((10 * ink).toFixed(4)), width: (columns.at(-1)! - columns[0]! + 1) / 28 };
}

/** MNIST's handwritten digits as files, and a table of what they are. */
beforeAll(async () => {
  mkdirSync(join(folder, "digits"));
  const splits = await loadData("mnist", { limit: { train: trained, test: 150 } });
  const rows: string[] = [];
  for (const split of ["train", "test"] as const) {
    for await (const { images, labels, indices } of splits[split]!.batches({ batch: 500 })) {
      for (const [row, index] of indices.entries()) {
        const pixels = (images as Uint8Array).subarray(row * 784, (row + 1) * 784);
        const { labels: tags, ink, width } = factsOf(labels[row]!, pixels);
        const file = `digits/${split}-${index}.png`;
        await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
          .png()
          .toFile(join(folder, file));
        rows.push(`${file},${split},${tags.join("|")},${ink},${width}`);
      }
    }
  }
  writeFileSync(csv, `path,split,tags,ink,width\n${rows.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lr = ["--lr", "0.003", "--batch", "32", "--seed", "2", "--json"];

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe("several labels of handwritten digits", { shuffle: false }, () => {
  const columns = ["--data", csv, "--labels", "tags"];

  test("can be checked and searched for a rate before they are trained", async () => {
    const checked = await call("check", "lenet5", ...columns, "--batch", "16", "--steps", "3", "--json");
    expect(checked.status, checked.err).toBe(0);
    const { start, classes } = JSON.parse(checked.out) as { start: { expected: number }; classes: { name: string }[] };
    expect(start.expected).toBeCloseTo(Math.log(2), 6);
    expect(classes.map(({ name }) => name)).toEqual(["even", "loop"]);
    const found = await call("lr-find", "lenet5", ...columns, "--steps", "20", "--json");
    expect(found.status, found.err).toBe(0);
    const { points } = JSON.parse(found.out) as { points: { loss: number }[] };
    // At the first rate, 1e-7, nothing is learned yet.
    expect(points[0]!.loss).toBeGreaterThan(0.5);
    expect(points[0]!.loss).toBeLessThan(0.9);
  });

  test("are trained, with the preprocessing that is named", async () => {
    const more = ["--epochs", "6", "--preprocessing", "tf", "--metrics", "f1,auc", "--out", places.tagged];
    const { status, out, err } = await call("train", "lenet5", ...columns, ...lr, ...more);
    expect(status, err).toBe(0);
    const { test: judged } = JSON.parse(out) as { test: { metrics: Record<string, number> } };
    expect(judged.metrics["auc"]).toBeGreaterThan(0.9);
    const config = JSON.parse(readFileSync(join(places.tagged, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({ preprocessingKind: "tf", preprocessing: { scale: 1 / 127.5, mean: [1] } });
    expect(readFileSync(join(places.tagged, "report.html"), "utf8")).toContain("Precision over recall");
  });

  test("have the thresholds of the highest F1, by plain loops, which predict then goes by", async () => {
    const [file, model] = [join(folder, "labels.csv"), join(folder, "tagged.keras")];
    const args = ["--data", csv, "--csv", file, "--threshold", "f1", "--write", model, "--json"];
    const told = await call("evaluate", places.tagged, ...args);
    expect(told.status, told.err).toBe(0);
    expect(told.err).toMatch(/highest F1 on these test images: on other images .* lower/);
    const { outputs } = JSON.parse(told.out) as {
      outputs: { labels: { label: string; threshold: number; f1: number; precision: number }[] }[];
    };
    const rows = readFileSync(file, "utf8").trim().split("\n").slice(1);
    const cells = rows.map((row) => row.split(",").slice(-4).map(Number));
    const { labels } = outputs[0]!;
    for (const [place, { label, threshold, f1, precision }] of labels.entries()) {
      const pairs = cells.map((own) => ({ isThere: own[place] === 1, score: own[place + 2]! }));
      const counted = (above: (score: number) => boolean) => {
        const chosen = pairs.filter(({ score }) => above(score));
        const hits = chosen.filter(({ isThere }) => isThere).length;
        const support = pairs.filter(({ isThere }) => isThere).length;
        return { precision: hits / chosen.length, f1: (2 * hits) / (chosen.length + support) };
      };
      const highest = Math.max(...pairs.map((each) => counted((score) => score >= each.score).f1));
      const own = counted((score) => score > threshold);
      expect(f1, label).toBeCloseTo(highest, 10);
      expect([own.f1, own.precision], label).toEqual([expect.closeTo(f1, 10), expect.closeTo(precision, 10)]);
    }
    const digits = join(folder, "digits");
    const images = rows.slice(0, 20).map((row) => join(digits, row.split(",")[0]!.split("/").at(-1)!));
    const predicted = await call("predict", model, ...images, "--json");
    expect(predicted.status, predicted.err).toBe(0);
    const answers = JSON.parse(predicted.out) as { labels: { label: string }[] }[];
    for (const [row, answer] of answers.entries())
      expect(answer.labels.map(({ label }) => label).toSorted()).toEqual(
        labels.filter(({ threshold }, place) => cells[row]![place + 2]! > threshold).map(({ label }) => label),
      );
    const strict = await call("predict", model, images[0]!, "--threshold", "1");
    expect(strict.out).toMatch(/png: no label/);
    const wrong = await call("predict", model, images[0]!, "--threshold", "0.1,0.2,0.3");
    expect([wrong.status, wrong.err]).toEqual([2, expect.stringMatching(/expected 2 numbers, one a label, got 3/)]);
    const chosen = await call("predict", model, images[0]!, "--threshold", "f1");
    expect(chosen.err).toMatch(/evaluate --threshold f1 --write MODEL chooses thresholds/);
  });
});

test("labels and numbers of two outputs are trained and evaluated by columns of the plan", async () => {
  const targets = {
    tags: { kind: "labels", columns: "tags" },
    size: { kind: "numbers", columns: ["ink", "width"] },
  };
  const run = join(folder, "both");
  const plan = JSON.stringify({ columns: { targets }, lossWeights: { size: 0.5 } });
  const args = ["--data", csv, "--limit", "64", "--epochs", "1", "--plan", plan, "--out", run];
  const { status, err } = await call("train", "lenet5", ...args, ...lr);
  expect(status, err).toBe(0);
  const told = await call("evaluate", run, "--data", csv, "--limit", "64", "--json");
  expect(told.status, told.err).toBe(0);
  const { outputs, loss } = JSON.parse(told.out) as {
    outputs: { output: string; loss: number; labels?: object[]; numbers?: object[] }[];
    loss: number;
  };
  expect(outputs.map(({ output, labels, numbers }) => [output, labels?.length, numbers?.length])).toEqual([
    ["tags", 2, undefined],
    ["size", undefined, 2],
  ]);
  expect(loss).toBeCloseTo(outputs[0]!.loss + 0.5 * outputs[1]!.loss, 5);
  // Without factors both losses count as much.
  const options = ["--labels", "tags", "--numbers", "ink,width", "--limit", "32", "--epochs", "1"];
  const even = await call("train", "lenet5", "--data", csv, ...options, "--out", join(folder, "even"), ...lr);
  expect(even.status, even.err).toBe(0);
  const { test: judged } = JSON.parse(even.out) as { test: { loss: number; outputs: { loss: number }[] } };
  expect(judged.loss).toBeCloseTo(judged.outputs[0]!.loss + judged.outputs[1]!.loss, 5);
});

test("predict tells all targets of a model of two outputs, as evaluate's rows have them", async () => {
  const [run, file, own] = ["both", "both.csv", "predicted.csv"].map((name) => join(folder, name)) as string[];
  const told = await call("evaluate", run!, "--data", csv, "--limit", "64", "--csv", file!);
  expect(told.status, told.err).toBe(0);
  const rows = readFileSync(file!, "utf8").trim().split("\n").slice(1, 4);
  const images = rows.map((row) => row.split(",")[0]!);
  const scores = rows.map((row) => row.split(",").slice(-4).map(Number));
  const predicted = await call("predict", run!, ...images, "--json");
  expect(predicted.status, predicted.err).toBe(0);
  const near = (value: number): number => expect.closeTo(value, 5) as number;
  expect(JSON.parse(predicted.out)).toEqual(
    scores.map(([even, loop, ink, width], row) => ({
      image: images[row],
      targets: {
        tags: [
          { label: "even", probability: near(even!) },
          { label: "loop", probability: near(loop!) },
        ],
        size: [
          { name: "ink", value: near(ink!) },
          { name: "width", value: near(width!) },
        ],
      },
    })),
  );
  const written = await call("predict", run!, ...images, "--csv", own!);
  expect(written.status, written.err).toBe(0);
  const [head, first] = readFileSync(own!, "utf8").split("\n");
  expect(head).toBe("image,tags.even,tags.loop,size.ink,size.width");
  expect(first!.split(",").slice(1).map(Number)).toEqual(scores[0]!.map(near));
  const refused = await call("predict", run!, images[0]!, "--top", "3");
  expect([refused.status, refused.err]).toEqual([2, expect.stringMatching(/predicts tags, size: leave out --tta/)]);
});

describe("numbers of handwritten digits", () => {
  const columns = ["--data", csv, "--numbers", "ink,width"];

  test("are trained, and told by evaluate as its rows are, by plain loops", async () => {
    const more = ["--epochs", "6", "--out", places.measured];
    const { status, err } = await call("train", "lenet5", ...columns, ...lr, ...more);
    expect(status, err).toBe(0);
    const file = join(folder, "numbers.csv");
    const told = await call("evaluate", places.measured, "--data", csv, "--csv", file, "--metrics", "r2", "--json");
    expect(told.status, told.err).toBe(0);
    const { outputs, metrics } = JSON.parse(told.out) as {
      outputs: { numbers: { name: string; mae: number; rmse: number; r2: number }[] }[];
      metrics: Record<string, number>;
    };
    const [head, ...rows] = readFileSync(file, "utf8").trim().split("\n");
    expect(head).toBe("image,numbers.ink,numbers.width,predicted.numbers.ink,predicted.numbers.width");
    const cells = rows.map((row) => row.split(",").slice(-4).map(Number));
    for (const [place, { name, mae, rmse, r2 }] of outputs[0]!.numbers.entries()) {
      const pairs = cells.map((own) => [own[place]!, own[place + 2]!] as const);
      const mean = pairs.reduce((sum, [actual]) => sum + actual, 0) / pairs.length;
      const squares = pairs.reduce((sum, [actual, predicted]) => sum + (actual - predicted) ** 2, 0);
      const spread = pairs.reduce((sum, [actual]) => sum + (actual - mean) ** 2, 0);
      const away = pairs.reduce((sum, [actual, predicted]) => sum + Math.abs(actual - predicted), 0);
      expect(mae, name).toBeCloseTo(away / pairs.length, 5);
      expect(rmse, name).toBeCloseTo(Math.sqrt(squares / pairs.length), 5);
      expect(r2, name).toBeCloseTo(1 - squares / spread, 4);
    }
    expect(metrics["r2"]).toBeGreaterThan(0.5);
    const images = rows.slice(0, 3).map((row) => row.split(",")[0]!);
    const predicted = await call("predict", places.measured, ...images, "--json");
    expect(predicted.status, predicted.err).toBe(0);
    const answers = JSON.parse(predicted.out) as { numbers: { name: string; value: number }[] }[];
    for (const [row, { numbers }] of answers.entries())
      expect(numbers).toEqual(
        ["ink", "width"].map((name, place) => ({ name, value: expect.closeTo(cells[row]![place + 2]!, 4) as number })),
      );
    expect(readFileSync(join(places.measured, "report.html"), "utf8")).toContain("Predicted over true: ink");
  });
});
