import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engines } from "@convkit/testing";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-tune-"));
const [first, two, three] = [join(folder, "first"), join(folder, "two"), join(folder, "three")];
const short = ["--validation", "0.25", "--epochs", "1", "--batch", "4", "--json", "--quiet"];

async function trained(name: string, ...args: string[]) {
  const out = join(folder, `run-${readdirSync(folder).length}`);
  const said = await call("train", name, ...short, "--out", out, ...args);
  expect(said.status, said.err).toBe(0);
  const summary = JSON.parse((await call("summary", out, "--json")).out) as {
    layers: { name: string; outputShape: unknown[] }[];
    params: { trainable: number };
  };
  return { out, err: said.err, head: summary.layers.at(-1)!, params: summary.params };
}

describe(`training goes on from what was trained (${engines[0]})`, () => {
  beforeAll(async () => {
    await colorFolder(two, ["blue", "red"], 8);
    await colorFolder(three, ["blue", "green", "red"], 8);
    await sharp({ create: { width: 24, height: 20, channels: 3, background: "#123" } }).toFile(join(folder, "x.png"));
    const said = await call("train", "residual-stack", "--data", two, "--input", "16x16x3", ...short, "--out", first);
    expect(said.status, said.err).toBe(0);
  });

  test("from a run directory, with its weights", async () => {
    const { out, head } = await trained(first, "--data", two);
    expect(head.outputShape).toEqual([null, 1]);
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).toMatchObject({
      name: "first",
      plan: { model: first },
      preprocessing: JSON.parse(readFileSync(join(first, "config.json"), "utf8")).preprocessing,
    });
  });

  test("from a run directory, with a new head for other classes, alone in training", async () => {
    const { head } = await trained(first, "--data", three, "--freeze");
    expect(head).toMatchObject({ name: "predictions_3", outputShape: [null, 3] });
  });

  test("from a model file", async () => {
    const file = join(folder, "first.keras");
    expect((await call("convert", first, file)).status).toBe(0);
    expect((await trained(file, "--data", three)).head).toMatchObject({
      name: "predictions_3",
      outputShape: [null, 3],
    });
  });

  test.each(["--weights", "--arch"])("from a file of weights, by %s, though the classes differ", async (how) => {
    const file = join(folder, `simple${how}.safetensors`);
    expect((await call("convert", "simple-cnn", file)).status).toBe(0);
    const args = how === "--arch" ? [file, "--arch", "simple-cnn"] : ["simple-cnn", "--weights", file];
    const { head } = await trained(args[0]!, ...args.slice(1), "--data", three);
    expect(head).toMatchObject({ name: "predictions_3", outputShape: [null, 3] });
  });

  test("from a file of weights for yet another number of classes", async () => {
    const file = join(folder, "seven.safetensors");
    expect((await call("convert", "simple-cnn", file, "--classes", "7")).status).toBe(0);
    const { head } = await trained("simple-cnn", "--weights", file, "--data", three);
    expect(head).toMatchObject({ name: "predictions", outputShape: [null, 3] });
  });

  test("weights that do not fit are told", async () => {
    const file = join(folder, "lenet5.safetensors");
    await call("convert", "lenet5", file);
    const out = join(folder, "misfit");
    const { status, err } = await call(
      "train",
      "simple-cnn",
      "--weights",
      file,
      "--data",
      three,
      ...short,
      "--out",
      out,
    );
    expect([status, err]).toEqual([1, expect.stringMatching(/the weights do not fit the model, nothing was changed/)]);
  });

  test.each([
    [["nothing-here", "--data", two], /neither a file nor a run directory here; the recipes are/],
    [[first], /needs --data, a data set's name or a folder/],
    [[first, "--data", two, "--input", "8x8x3"], /--weights, --input and --aux are for networks of the zoo/],
  ])("%j is refused", async (args, message) => {
    const { status, err } = await call("train", ...args);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });

  test("evaluate writes a row an image, averaged over mirror images", async () => {
    const csv = join(folder, "judged.csv");
    const said = await call("evaluate", first, "--data", two, "--split", "train", "--tta", "--csv", csv, "--json");
    expect(said.status, said.err).toBe(0);
    const [head, ...rows] = readFileSync(csv, "utf8").trim().split("\n");
    expect(head).toBe("image,label,predicted,probability,right");
    expect(rows).toHaveLength(16);
    const { accuracy, count } = JSON.parse(said.out) as { accuracy: number; count: number };
    expect(rows.filter((row) => row.endsWith(",1")).length).toBe(Math.round(accuracy * count));
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("preview brings image files to one size", async () => {
    const sheet = join(folder, "sheet.png");
    const said = await call("data", "preview", two, "--size", "40x60", "--count", "4", "--out", sheet);
    expect(said.status, said.err).toBe(0);
    // Two a row, each twice as large, with gaps of 4 and captions of 18.
    expect(await sharp(sheet).metadata()).toMatchObject({ width: 2 * 124 + 4, height: 2 * 102 + 4 });
  });
});
