import type { Context } from "../terminal/context.ts";
import { grouped } from "../terminal/format.ts";
import { countingBar } from "../terminal/progress.ts";
import { CliError } from "../terminal/usage-error.ts";
import { decodedImages, type ImagePath } from "../inputs/image-paths.ts";
import { imageShape } from "../inputs/image-shape.ts";
import { userPath } from "../inputs/user-path.ts";
import { openCsv } from "../outputs/csv-file.ts";
import type { Opened } from "./classify.ts";

/** An image and the numbers that are predicted of it. */
interface Measured {
  readonly image: string;
  readonly numbers: readonly { readonly name: string; readonly value: number }[];
}

/** The images to predict numbers of, and the names of the numbers. */
export interface NumberOptions {
  readonly name: string;
  readonly files: readonly ImagePath[];
  readonly names: readonly string[];
  readonly batch: number;
  readonly strict: boolean;
  readonly csv: string | undefined;
}

/** Predicts the numbers of images, a batch at a time. */
export async function predictNumbers(context: Context, model: Opened, options: NumberOptions): Promise<void> {
  const { name, files, names, batch, strict, csv } = options;
  const shape = imageShape(name, model.input, model.fit);
  const bar = countingBar(context.out, files.length, "images");
  const rows = csv === undefined ? undefined : await openCsv(userPath(csv), ["image", ...names]);
  const answers: Measured[] = [];
  let count = 0;
  try {
    for (let from = 0; from < files.length && !context.signal.aborted; from += batch) {
      const part = files.slice(from, from + batch);
      const { files: read, data } = await decodedImages(context, part, { shape, fit: model.fit, strict });
      bar.update(Math.min(from + batch, files.length));
      if (read.length === 0) continue;
      count += read.length;
      const values = (await model.forward.predict({ data, shape: [read.length, ...shape] })).data;
      if (values.length !== read.length * names.length)
        throw new CliError(
          `${name} gives ${values.length / read.length} numbers an image, but its run has ${names.join(", ")}.`,
        );
      const answered = read.map((image, row) => ({
        image,
        numbers: names.map((each, place) => ({ name: each, value: values[row * names.length + place]! })),
      }));
      // Answers that are written to a file are not kept in memory.
      if (rows === undefined) answers.push(...answered);
      else await rows.add(answered.map(({ image, numbers }) => [image, ...numbers.map(({ value }) => value)]));
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
  const text = answers.map(({ image, numbers }) =>
    [image, ...numbers.map((each) => `  ${String(Number(each.value.toPrecision(6))).padStart(12)}  ${each.name}`)].join(
      "\n",
    ),
  );
  context.out.result(answers, text.join("\n"));
}
