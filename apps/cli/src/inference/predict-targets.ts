import type { Target } from "@convkit/datasets";
import { decodePredictions } from "@convkit/predict";
import type { Context } from "../terminal/context.ts";
import { grouped, percent } from "../terminal/format.ts";
import { countingBar } from "../terminal/progress.ts";
import { CliError } from "../terminal/usage-error.ts";
import { decodedImages, type ImagePath } from "../inputs/image-paths.ts";
import { imageShape } from "../inputs/image-shape.ts";
import { userPath } from "../inputs/user-path.ts";
import { openCsv } from "../outputs/csv-file.ts";
import type { Opened } from "./classify.ts";

/** The images to predict, and what the run was trained to tell of them. */
export interface TargetOptions {
  readonly name: string;
  readonly files: readonly ImagePath[];
  readonly targets: Readonly<Record<string, Target>>;
  readonly batch: number;
  readonly strict: boolean;
  readonly csv: string | undefined;
}

/** A number, or the probability of a label or class. */
interface Told {
  readonly name: string;
  readonly value: number;
}

/** One output of a model, and the target that it tells. */
interface Output {
  readonly target: string;
  readonly kind: Target["kind"];
  readonly names: readonly string[];
  /** Whether the scores of labels are logits. */
  readonly areLogits: boolean;
}

/** Predicts numbers, or the classes, labels and numbers of several outputs, a batch at a time. */
export async function predictTargets(context: Context, model: Opened, options: TargetOptions): Promise<void> {
  const { name, files, batch, strict, csv } = options;
  const outputs = outputsOf(model, options);
  const [only] = outputs;
  const isAlone = outputs.length === 1;
  const shape = imageShape(name, model.input, model.fit);
  const bar = countingBar(context.out, files.length, "images");
  const columns = outputs.flatMap(({ target, kind, names }) =>
    kind === "class" ? [target, `${target}.probability`] : names.map((each) => (isAlone ? each : `${target}.${each}`)),
  );
  const rows = csv === undefined ? undefined : await openCsv(userPath(csv), ["image", ...columns]);
  const answers: { readonly image: string; readonly told: readonly (readonly Told[])[] }[] = [];
  let count = 0;
  try {
    for (let from = 0; from < files.length && !context.signal.aborted; from += batch) {
      const part = files.slice(from, from + batch);
      const { files: read, data } = await decodedImages(context, part, { shape, fit: model.fit, strict });
      bar.update(Math.min(from + batch, files.length));
      if (read.length === 0) continue;
      count += read.length;
      const values = await model.predictAll!([{ data, shape: [read.length, ...shape] }]);
      const tables = outputs.map((output, place) => tableOf(name, output, values[place]!.data, read.length));
      const answered = read.map((image, row) => ({ image, told: tables.map((table) => table[row]!) }));
      // Answers that are written to a file are not kept in memory.
      if (rows === undefined) answers.push(...answered);
      else
        await rows.add(
          answered.map(({ image, told }) => [
            image,
            ...told.flatMap((each, place) =>
              outputs[place]!.kind === "class" ? [each[0]!.name, each[0]!.value] : each.map(({ value }) => value),
            ),
          ]),
        );
    }
    if (!context.signal.aborted && count === 0) throw new CliError(`${name}: no image can be read.`);
    if (!context.signal.aborted) await rows?.done();
  } finally {
    bar.stop();
    await rows?.close();
    await model.forward.dispose();
  }
  if (csv !== undefined) {
    context.out.result({ written: userPath(csv), images: count }, `${csv}: ${grouped(count)} images`);
    return;
  }
  const text = answers.map(({ image, told }) =>
    [
      image,
      ...told.flatMap((each, place) => {
        const { target, kind } = outputs[place]!;
        return each.map(
          (one) => `  ${valueText(kind, one.value).padStart(12)}  ${isAlone ? "" : `${target}: `}${one.name}`,
        );
      }),
    ].join("\n"),
  );
  const document = answers.map(({ image, told }) =>
    isAlone && only!.kind === "numbers"
      ? { image, numbers: told[0]! }
      : { image, targets: Object.fromEntries(told.map((each, place) => entryOf(outputs[place]!, each))) },
  );
  context.out.result(document, text.join("\n"));
}

/** The model's outputs by their targets: by the names of the outputs, or in the order of the targets. */
function outputsOf({ outputs = [] }: Opened, { name, targets }: TargetOptions): Output[] {
  const known = Object.keys(targets);
  if (outputs.length !== known.length)
    throw new CliError(`${name} has ${outputs.length} outputs, but its run was trained on ${known.join(", ")}.`);
  const isNamed = outputs.every((output) => Object.hasOwn(targets, output.name));
  return outputs.map(({ name: own, kind: end }, place) => {
    const target = isNamed ? own : known[place]!;
    const { kind, names } = targets[target]!;
    return { target, kind, names, areLogits: end === "logits" };
  });
}

/** For each image the numbers, the probability of each label, or the most likely class. */
function tableOf(name: string, output: Output, scores: ArrayLike<number>, count: number): Told[][] {
  const { kind, names, target, areLogits } = output;
  const width = scores.length / count;
  const isOfTwo = kind === "class" && width === 1 && names.length === 2;
  if (width !== names.length && !isOfTwo)
    throw new CliError(`${name} gives ${width} values an image for ${target}, but its run has ${names.join(", ")}.`);
  if (kind === "class")
    return decodePredictions(
      { data: Float32Array.from(scores), shape: [count, width] },
      { top: 1, classes: names, logits: areLogits },
    ).map((row) => row.map(({ label, probability }) => ({ name: label, value: probability })));
  const valueOf = (score: number): number => (kind === "labels" && areLogits ? 1 / (1 + Math.exp(-score)) : score);
  return Array.from({ length: count }, (_, row) =>
    names.map((each, place) => ({ name: each, value: valueOf(scores[row * width + place]!) })),
  );
}

function valueText(kind: Target["kind"], value: number): string {
  return kind === "numbers" ? String(Number(value.toPrecision(6))) : percent(value);
}

/** One target's part of the JSON document. */
function entryOf({ target, kind }: Output, told: readonly Told[]): [string, unknown] {
  if (kind === "numbers") return [target, told];
  const probabilities = told.map(({ name, value }) => ({ label: name, probability: value }));
  return [target, kind === "class" ? probabilities[0] : probabilities];
}
