import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrays } from "@convkit/datasets";
import { evaluator, type HealthRecord } from "@convkit/trainer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lineChart } from "../src/charts/line-chart.ts";
import { writeComparison, writeHealthReport, writeReport } from "../src/index.ts";
import { overlaid } from "../src/mask-pictures.ts";

const folder = () => mkdtemp(join(tmpdir(), "convkit-report-"));
const history = [1, 2, 3].map((epoch) => ({ epoch, loss: 1 / epoch, accuracy: 0.5, lr: 0.1, seconds: 1 }));

/** Two of three images right; the mistake is image 1, called "cat" with probability 0.75. */
function evaluation() {
  const gathered = evaluator(["cat", "dog <b>"]);
  gathered.add({
    labels: Int32Array.of(0, 1, 1),
    indices: Int32Array.of(0, 1, 2),
    probabilities: Float32Array.of(0.9, 0.1, 0.75, 0.25, 0.2, 0.8),
    loss: 0.5,
  });
  return { ...gathered.result(), mistakes: gathered.mistakes };
}

const data = fromArrays({
  images: Float32Array.from({ length: 3 * 4 }, (_, i) => i / 7),
  shape: [2, 2, 1],
  labels: [0, 1, 1],
  classes: ["cat", "dog <b>"],
});

test("a report shows the run's numbers and loads nothing", async () => {
  const path = join(await folder(), "report.html");
  await writeReport(path, {
    title: "pets <1>",
    subtitle: "lenet5 on pets",
    result: {
      history,
      best: history[2],
      seconds: 75,
      imagesPerSecond: 1234.4,
      timings: { first: 1, step: 2, data: 3, validation: 4, callbacks: 5 },
      stopReason: undefined,
    },
    evaluation: evaluation(),
    judged: { split: "test", data },
    parameters: 61_706,
    environment: { engine: "native" },
    config: { seed: 7 },
  });
  const page = await readFile(path, "utf8");
  for (const text of [
    "<b>66.67 %</b><span>accuracy on 3 test images</span>",
    "<b>3 of 3</b><span>best epoch</span>",
    "<b>1 min 15 s</b>",
    "<b>1,234</b><span>images a second</span>",
    "<b>61,706</b><span>parameters</span>",
    "pets &#60;1&#62;",
    "dog &#60;b&#62;",
    "75.00 %",
  ])
    expect(page).toContain(text);
  expect(page).not.toMatch(/<script|<link|(src|href)="(?!data:|#)/);
  expect(await readdir(join(path, ".."))).toEqual(["report.html"]);
});

test("a report of a run without an epoch has no curves", async () => {
  const path = join(await folder(), "report.html");
  await writeReport(path, {
    title: "stopped",
    subtitle: "",
    result: {
      history: [],
      best: undefined,
      seconds: 1,
      imagesPerSecond: 0,
      timings: { first: 0, step: 0, data: 0, validation: 0, callbacks: 0 },
      stopReason: "it was interrupted",
    },
    parameters: 1,
    environment: {},
    config: {},
  });
  const page = await readFile(path, "utf8");
  expect(page).not.toContain("<h2>Loss</h2>");
  expect(page).toContain("The run stopped since it was interrupted.");
});

test("a comparison draws the curves of every run and loads nothing", async () => {
  const path = join(await folder(), "runs.html");
  await writeComparison(path, [
    { name: "slow <run>", history },
    { name: "fast", history },
  ]);
  const page = await readFile(path, "utf8");
  expect(page).toContain("Training loss");
  expect(page).not.toContain("Validation loss");
  expect(page).not.toContain("<run>");
  expect(page).not.toMatch(/(src|href)="(?!data:|#)/);
});

test("curves are drawn for any values", () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 1e9 }).map((each) => each / 1e9),
    fc.constantFrom(0, 1, 0.94, 0.9487, 0.3, Number.NaN, undefined),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.boolean(), (values, percent) => {
      const points = values.map((each, i) => [i + 1, each] as const);
      expect(
        lineChart(
          [
            { name: "a", points },
            { name: "b", points: [] },
          ],
          { percent, mark: 1 },
        ),
      ).toMatch(/^<svg/);
    }),
    { numRuns: 60 },
  );
});

test("the page of a measured training tells its ratios and dead units; several runs are compared", async () => {
  const record = (step: number, first: number): HealthRecord => ({
    step,
    epoch: 1,
    loss: 1,
    weights: [
      { name: "a/kernel", size: 4, gradientNorm: first, weightNorm: 4, updateNorm: 0.02 },
      { name: "a/bias", size: 2, gradientNorm: 7, weightNorm: 0, updateNorm: 1 },
      { name: "b/kernel", size: 4, gradientNorm: 2, weightNorm: 4, updateNorm: 0.02 },
    ],
    activations: [{ layer: "a", mean: 1, deviation: 2, norm: Math.sqrt(5), dead: 0.25 }],
  });
  const path = join(await folder(), "health.html");
  const runs = [{ name: "one", records: [record(1, 0.5), record(11, 3e-7)] }];
  await writeHealthReport(path, runs);
  const one = await readFile(path, "utf8");
  // 3e-7 of the first kernel over 2 of the last; 0.02 / 4; the bias has no ratio.
  for (const text of ["<b>1.50e-7</b>", "<b>0.005</b>", "<b>25.0 %</b>", "step 11", "<td>–</td>"])
    expect(one).toContain(text);
  expect(one).not.toMatch(/(src|href)="(?!data:)/);
  await writeHealthReport(path, [...runs, { name: "<two>", records: [record(1, 0.5)] }]);
  const both = await readFile(path, "utf8");
  expect(both).toContain("one, &#60;two&#62;");
  // Four charts, each for a wide screen and for a phone.
  expect(both.match(/<svg width="\d+"/g)?.toSorted()).toEqual(
    [336, 336, 336, 336, 560, 560, 560, 1160].map((width) => `<svg width="${width}"`).toSorted(),
  );
  await expect(writeHealthReport(path, [{ name: "none", records: [] }])).rejects.toThrow(/none has none/);
});

test("a report of labels and numbers has their tables, curves and scatter plots", async () => {
  const path = join(await folder(), "report.html");
  const label = {
    label: "round <b>",
    support: 2,
    precision: 0.5,
    recall: 1,
    f1: 2 / 3,
    averagePrecision: 0.8333,
    auc: 0.5,
    threshold: 0.5,
    best: { threshold: 0.7, f1: 0.8 },
    curve: [
      { threshold: 0.9, precision: 1, recall: 0.5 },
      { threshold: 0.7, precision: 2 / 3, recall: 1 },
    ],
  };
  const points = [
    [1, 1.5],
    [2, 1],
  ] as const;
  await writeReport(path, {
    title: "tasks",
    subtitle: "",
    result: {
      history: [
        { epoch: 1, loss: 1, lr: 0.1, seconds: 1, metrics: { tags_f1: 0.25, val_tags_f1: 0.5 } },
        { epoch: 2, loss: 0.5, lr: 0.1, seconds: 1, metrics: { tags_f1: 0.5, val_tags_f1: 0.75 } },
      ],
      best: undefined,
      seconds: 1,
      imagesPerSecond: 1,
      timings: { first: 0, step: 1, data: 0, validation: 0, callbacks: 0 },
      stopReason: undefined,
    },
    tasks: {
      count: 3,
      loss: 0.125,
      metrics: { tags_f1: 0.75 },
      outputs: [
        {
          output: "tags",
          target: "tags",
          kind: "labels",
          loss: 0.1,
          labels: [label],
          worst: [{ index: 2, actual: [0], predicted: [0.9] }],
        },
        {
          output: "size",
          target: "size",
          kind: "numbers",
          loss: 0.2,
          numbers: [{ name: "width", mae: 0.75, rmse: 0.7906, r2: -1.5, points }],
        },
      ],
    },
    judged: { split: "test", data },
    parameters: 1,
    environment: {},
    config: {},
  });
  const page = await readFile(path, "utf8");
  for (const text of [
    "<b>0.125</b><span>loss on 3 test images</span>",
    "<b>0.75</b><span>tags_f1</span>",
    "tags: Precision over recall",
    "0.700 (80.00 %)",
    "size: Predicted over true: width",
    "-1.5000",
    "<em>round &#60;b&#62;</em><br />is none",
  ])
    expect(page).toContain(text);
  expect(page).not.toMatch(/<h2>Accuracy|<script|<link/);
});

test("a chart begins where it is told, and its names stay above its curves", () => {
  const series = (names: readonly string[]) =>
    names.map((name) => ({ name, points: [[0, 0.9] as const, [5, 0.5] as const] }));
  const chart = (names: readonly string[], first?: number) =>
    lineChart(series(names), { percent: true, width: 720, ...(first !== undefined && { first }) });
  expect(chart(["clean"], 0)).toMatch(/>0<\/text>/);
  expect(chart(["clean"])).not.toMatch(/>0<\/text>/);
  /** The height of the text of that name, and of the topmost label of the axis. */
  const heights = (svg: string, name: string) => {
    const texts = [...svg.matchAll(/<text[^>]*?transform="translate\([\d.]+ ([\d.]+)\)"[^>]*>([^<]*)<\/text>/g)];
    const of = (wanted: (text: string) => boolean) =>
      texts.filter(([, , text]) => wanted(text!)).map(([, y]) => Number(y));
    return { name: of((text) => text === name)[0]!, top: Math.min(...of((text) => text.endsWith(" %"))) };
  };
  const kinds = ["gaussian-noise", "shot-noise", "impulse-noise", "speckle-noise", "gaussian-blur", "defocus-blur"];
  const { name, top } = heights(chart(kinds, 0), "defocus-blur");
  expect(name).toBeGreaterThan(20);
  expect(name).toBeLessThan(top - 6);
});

test("a mask is drawn half over its image", () => {
  const gray = (level: number) => [level, level, level];
  const rgb = Uint8Array.from([...gray(20), ...gray(100), ...gray(100), ...gray(60)]);
  // The first class has no color, the second is red, 255 is not judged, and the twelfth has the second's color again.
  expect([...overlaid(rgb, [0, 1, 255, 11], 255)]).toEqual([...gray(20), 165, 80, 80, ...gray(114), 145, 60, 60]);
});
