import { existsSync } from "node:fs";
import type { Context } from "../terminal/context.ts";
import { percent } from "../terminal/format.ts";
import { text, type ValuesOf, whole } from "../terminal/option.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { checkHtmlName } from "../outputs/html-name.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  out: text("<file.html>", "where the page is written (default: inspect.html)"),
  layer: text("<name>", "the feature map of Grad-CAM and of the receptive field (default: the last one)"),
  top: whole(1, "<k>", "classes with a Grad-CAM picture (default: 3)"),
  steps: whole(1, "<n>", "points of integrated gradients (default: 24)"),
};

/** `convkit inspect`: what a network sees in an image, as one page. */
export async function run(
  context: Context,
  given: ValuesOf<typeof options>,
  name: string,
  image: string,
): Promise<void> {
  const { out = "inspect.html", layer, top = 3, steps = 24, ...modelGiven } = given;
  checkHtmlName(out);
  if (!existsSync(userPath(image))) throw new UsageError(`There is no file ${image}: give an image file.`);
  const { decodeImage } = await import("@convkit/datasets");
  const { writeFileAtomic } = await import("@convkit/files");
  const { classNames } = await import("@convkit/predict/internal");
  const { seeing } = await import("../inference/seeing.ts");
  const { imageShape } = await import("../inputs/image-shape.ts");
  const { resolveModel } = await import("../inputs/model-source.ts");
  const { hasLayers, runsAsGraph } = await import("../inputs/saved-model.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { seeingPage } = await import("../outputs/seeing-page.ts");
  await engineInUse(context);
  if (!hasLayers(name) && (await runsAsGraph(context, name)))
    throw new CliError(`${name} is a graph without layers: inspect takes models with layers, such as .keras files.`);
  const { seed } = context.options;
  const resolved = await resolveModel(name, modelGiven, seed, (note) => context.out.note(note));
  if (resolved.isUntrained && seed === undefined)
    throw new UsageError(
      `${name} has random weights, so its answers mean nothing: give --weights imagenet or a file of weights, or --seed for random weights.`,
    );
  const { model, preprocessing, images } = resolved;
  if (model.inputs.length !== 1)
    throw new CliError(`${name} has ${model.inputs.length} inputs: inspect takes models with one input of images.`);
  const [height, width, channels] = imageShape(name, model.inputs[0]!.shape, images);
  const { data } = await decodeImage(userPath(image), { ...images, size: [height, width], channels });
  const classes = resolved.classes ?? classNames(model) ?? [];
  const seen = await seeing(model, { data, shape: [height, width, channels] }, preprocessing, {
    classes,
    layer,
    top,
    steps,
    tell: (what) => context.out.note(what),
  });
  await writeFileAtomic(userPath(out), await seeingPage(model, image, seen));
  const { predictions, activations, field, maps } = seen;
  const found = predictions.map(({ label, probability }) => `${label} ${percent(probability).trim()}`).join(", ");
  context.out.result(
    {
      out,
      image,
      layer: activations[0]!.layer,
      predictions,
      receptiveField: {
        layer: field.layer,
        theoretical: field.theoretical,
        effective: field.effective,
        stride: field.stride,
      },
      maps: maps.map((map) => ({ layer: map.layer, shape: map.shape })),
    },
    `${out}: ${found}`,
  );
}
