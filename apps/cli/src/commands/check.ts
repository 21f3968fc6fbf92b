import type { Preprocessing } from "@convkit/core";
import type { Batch, Dataset } from "@convkit/datasets";
import type { TrainingCheck } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { grouped, percent, table } from "../terminal/format.ts";
import { aboveZero, offering, text, type ValuesOf, whole } from "../terminal/option.ts";
import { dataNames } from "../inputs/known-names.ts";
import { placeOptions, targetOptions } from "../inputs/data-options.ts";
import { modelOptions, widthsOption } from "../inputs/model-options.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  ...preprocessingOption,
  data: offering(text("<name-or-folder>", "images to train on (default: a recipe's own)"), dataNames),
  ...placeOptions,
  ...targetOptions,
  widths: widthsOption,
  batch: whole(1, "<n>", "images of the one batch (default: 32)"),
  steps: whole(1, "<n>", "steps that the batch is learned for (default: 100)"),
  lr: aboveZero("<rate>", "learning rate of Adam (default: 0.001)"),
  out: text("<file.png>", "draws the batch as the network gets it, stretched from its least to its largest value"),
};

/** `convkit check`: whether a training can work, by one batch. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { checkTraining } = await import("@convkit/trainer");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { modelAndData } = await import("../training/model-and-data.ts");
  const { batch = 32, steps, lr, out, ...inputs } = given;
  await engineInUse(context);
  const { seed = 0 } = context.options;
  const { model, train, preprocessing, objective } = await modelAndData(context, name, inputs);
  context.out.note(`Learning one batch of ${grouped(Math.min(batch, train.size))} images of ${train.name} …`);
  const optimizer = { name: "adam", ...(lr !== undefined && { learningRate: lr }) } as const;
  const check = await checkTraining(model, train, {
    ...objective,
    batch,
    steps,
    optimizer,
    seed,
    preprocessing,
    signal: context.signal,
  });
  if (out !== undefined) await drawBatch(userPath(out), train, { batch, seed, check, preprocessing });
  context.out.result(check, checkText(check, train));
}

async function drawBatch(
  path: string,
  data: Dataset,
  how: { batch: number; seed: number; check: TrainingCheck; preprocessing: Preprocessing },
): Promise<void> {
  const { preprocess } = await import("@convkit/core");
  const { contactSheet } = await import("@convkit/datasets");
  const { writeFileAtomic } = await import("@convkit/files");
  const tf = await import("@tensorflow/tfjs-core");
  const { least, most } = how.check.input;
  for await (const { images, shape, labels, targets } of data.batches({
    batch: how.batch,
    shuffle: true,
    seed: how.seed,
  })) {
    const seen = tf.tidy(() => {
      const values = preprocess(tf.tensor4d(images, shape), how.preprocessing);
      return tf.mul(tf.sub(values, least), 255 / Math.max(most - least, 1e-12));
    });
    const pixels = (await seen.data()) as Float32Array;
    seen.dispose();
    const captions = captionsOf(data, labels, targets);
    await writeFileAtomic(path, await contactSheet({ images: pixels, shape }, { captions }));
    return;
  }
}

/** What each image has, under it: its class, its labels or its numbers. */
function captionsOf(data: Dataset, labels: Int32Array, targets: Batch["targets"] = {}): string[] {
  const told = Object.entries(data.targets ?? {}).filter(([, { kind }]) => kind !== "mask");
  if (data.targets === undefined) return [...labels].map((label) => data.classes[label] ?? "");
  return Array.from(labels, (_, row) =>
    told
      .map(([target, { kind, names }]) => {
        const values = targets[target]!;
        if (kind === "class") return names[values[row]!] ?? "";
        const own = Array.from(values.subarray(row * names.length, (row + 1) * names.length));
        return kind === "labels"
          ? names.filter((_, place) => own[place]! > 0.5).join(" ")
          : own.map((value) => Number(value.toPrecision(3))).join(" ");
      })
      .join(" "),
  );
}

function checkText({ input, classes, start, learned, findings }: TrainingCheck, { targets = {} }: Dataset): string {
  const kinds = Object.values(targets).map(({ kind }) => kind);
  const guess = kinds.includes("numbers") ? "the means of the numbers give" : "equal chances give";
  const present = classes.filter(({ images }) => images > 0).length;
  const round = (value: number): string => String(Number(value.toPrecision(4)));
  const compared = start.expected === undefined ? "" : `; ${guess} ${round(start.expected)}`;
  return [
    table(
      ["", ""],
      [
        [
          "input",
          `${input.shape.join("x")}, from ${round(input.least)} to ${round(input.most)}, mean ${round(input.mean)}, deviation ${round(input.deviation)}`,
        ],
        ...(classes.length === 0
          ? []
          : [[kinds.includes("labels") ? "labels" : "classes", `${present} of ${classes.length} in the batch`]]),
        ["loss at the start", `${round(start.loss)}${compared}`],
        [
          "one batch by heart",
          `loss ${round(learned.loss)}${learned.accuracy === undefined ? "" : `, accuracy ${percent(learned.accuracy)}`} after ${learned.steps} steps`,
        ],
      ],
      { left: 2 },
    ).trimStart(),
    "",
    ...(findings.length === 0 ? ["Nothing looks wrong."] : findings.map((finding) => `- ${finding}`)),
  ].join("\n");
}
