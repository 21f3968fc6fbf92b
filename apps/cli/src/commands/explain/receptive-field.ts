import type { Context } from "../../terminal/context.ts";
import { table } from "../../terminal/format.ts";
import { text, type ValuesOf } from "../../terminal/option.ts";
import { modelOptions } from "../../inputs/model-options.ts";

export const options = {
  ...modelOptions,
  layer: text("<name>", "the feature map whose center is measured (default: the last one)"),
  out: text("<file>", "draws the field into this .svg, .png or .html"),
};

/** `convkit explain receptive-field`: the pixels that each layer sees, and their weights. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { receptiveFields } = await import("@convkit/core");
  const { measuredReceptiveField } = await import("@convkit/inspect");
  const { fieldPicture } = await import("../../outputs/field-picture.ts");
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  const { resolveModel } = await import("../../inputs/model-source.ts");
  const { engineInUse } = await import("../../inputs/use-engine.ts");
  const { layer, out, ...modelGiven } = given;
  if (out !== undefined) pictureFormat(out);
  await engineInUse(context);
  const { model } = await resolveModel(name, modelGiven, context.options.seed);
  const layers = [...receptiveFields(model)].map(([each, { size, stride }]) => ({ layer: each, size, stride }));
  const field = await measuredReceptiveField(model, { layer });
  const { weights: _weights, ...effective } = field;
  const rows = layers.map((each) => [each.layer, each.size.join("x"), each.stride.join("x")]);
  const drawn = out === undefined ? "" : `, drawn in ${out}`;
  const line = `The center of ${field.layer} sees ${field.theoretical.join("x")} pixels; 95 % of the gradient's weight lies within ${field.effective.join("x")}, and a Gaussian of the same width deviates ${field.gaussian.deviation.map((each) => each.toFixed(1)).join("x")} pixels (gradient of the center, ${field.samples} random images)${drawn}.`;
  const told = `${table(["layer", "receptive field", "stride"], rows)}\n\n${line}`;
  if (out !== undefined) await writePicture(out, await fieldPicture(field), told, "Receptive field");
  context.out.result({ layers, effective }, told);
}
