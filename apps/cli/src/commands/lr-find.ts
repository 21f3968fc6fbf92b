import type { OptimizerName } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { aboveZero, offering, text, type ValuesOf, whole } from "../terminal/option.ts";
import { table } from "../terminal/format.ts";
import { dataNames } from "../inputs/known-names.ts";
import { placeOptions, targetOptions } from "../inputs/data-options.ts";
import { modelOptions, widthsOption } from "../inputs/model-options.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const options = {
  ...modelOptions,
  ...preprocessingOption,
  data: offering(text("<name-or-folder>", "images to train on (default: a recipe's own)"), dataNames),
  ...placeOptions,
  ...targetOptions,
  widths: widthsOption,
  batch: whole(1, "<n>", "images a step (default: 32)"),
  optimizer: text("<name>", "the optimizer to find a rate for (default: adam)"),
  from: aboveZero("<rate>", "the first rate (default: 1e-7)"),
  to: aboveZero("<rate>", "the last rate (default: 10)"),
  steps: whole(20, "<n>", "steps between the two (default: 100)"),
  out: text("<file.svg>", "draws the losses over the rates"),
};

/** `convkit lr-find`: a learning rate to begin with. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { findLearningRate, optimizerNames } = await import("@convkit/trainer");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { modelAndData } = await import("../training/model-and-data.ts");
  const { batch = 32, optimizer = "adam", from, to, steps, out, ...inputs } = given;
  if (!(optimizerNames as readonly string[]).includes(optimizer))
    throw new UsageError(`Unknown optimizer "${optimizer}": the optimizers are ${optimizerNames.join(", ")}.`);
  if (out !== undefined && !out.endsWith(".svg"))
    throw new UsageError(`--out must be the name of an .svg file, not ${out}.`);
  await engineInUse(context);
  const { seed = 0 } = context.options;
  const { model, train, preprocessing, objective } = await modelAndData(context, name, inputs);
  const range = { from, to, steps, batch, seed, preprocessing, ...objective, signal: context.signal };
  const found = await findLearningRate(model, train, { ...range, optimizer: optimizer as OptimizerName });
  const { valley, steepest, minimum } = found.suggestions;
  if (out !== undefined) {
    const { writeFileAtomic } = await import("@convkit/files");
    const { chartFile, rateChart } = await import("@convkit/report/internal");
    await writeFileAtomic(userPath(out), chartFile(rateChart(found.points, { valley, steepest })));
  }
  const shown = (rate: number | undefined) => (rate === undefined ? "none: the loss never fell" : rate.toPrecision(2));
  context.out.result(
    found,
    table(
      ["rule", "learning rate"],
      [
        ["valley (middle of the longest fall)", shown(valley)],
        ["steepest fall", shown(steepest)],
        ["a tenth of the lowest loss's rate", shown(minimum)],
      ],
      { left: 1 },
    ),
  );
}
