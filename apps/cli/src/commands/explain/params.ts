import type { Context } from "../../terminal/context.ts";
import { grouped, percent, short, table } from "../../terminal/format.ts";
import type { LayerSummary } from "@convkit/core";
import { modelOptions } from "../../inputs/model-options.ts";
import { text, type ValuesOf } from "../../terminal/option.ts";

export const options = {
  ...modelOptions,
  out: text("<file>", "draws parameters and multiply-adds of each layer into this .svg, .png or .html"),
};

/** `convkit explain params`: where a network's parameters and multiply-adds are. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { summarize } = await import("@convkit/core");
  const { resolveModel } = await import("../../inputs/model-source.ts");
  const { engineInUse } = await import("../../inputs/use-engine.ts");
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  const { out: file, ...modelGiven } = given;
  if (file !== undefined) pictureFormat(file);
  await engineInUse(context);
  const { model } = await resolveModel(name, modelGiven, context.options.seed);
  const { params, macs, layers } = summarize(model);
  const rows = layers
    .filter((layer) => layer.params > 0)
    .toSorted((a, b) => b.params - a.params)
    .map((layer) => ({
      name: layer.name,
      type: layer.type,
      params: layer.params,
      share: layer.params / params.total,
      macs: layer.macs,
      macsShare: layer.macs === null || !macs ? 0 : layer.macs / macs,
    }));
  const lines = rows.map((row) => [
    row.name,
    row.type,
    grouped(row.params),
    percent(row.share),
    "█".repeat(Math.round(row.share * 18)).padEnd(18),
    row.macs === null ? "?" : short(row.macs),
    percent(row.macsShare),
  ]);
  const growth = growthText(layers);
  const told = [
    table(["layer", "type", "parameters", "share", "", "MACs", "share"], lines, { left: 2 }),
    ...growth,
  ].join("\n");
  if (file !== undefined) {
    const { barPicture } = await import("../../outputs/bar-picture.ts");
    const inOrder = layers.filter((layer) => layer.params > 0);
    const groups = [
      {
        title: "parameters",
        bars: inOrder.map((layer) => ({
          name: layer.name,
          value: layer.params,
          text: `${grouped(layer.params)}, ${percent(layer.params / params.total)}`,
        })),
      },
      {
        title: "multiply-adds of one image",
        bars: inOrder.map((layer) => ({
          name: layer.name,
          value: layer.macs ?? 0,
          text: layer.macs === null ? "?" : grouped(layer.macs),
          marked: true,
        })),
      },
    ];
    await writePicture(
      file,
      barPicture(`${model.name}: ${grouped(params.total)} parameters`, groups),
      told,
      `Parameters of ${model.name}`,
    );
  }
  context.out.result({ name: model.name, total: params.total, macs, layers: rows }, told);
}

/** What a dense layer on the pixels would take, beside the first convolution, on this image and on a larger one. */
function growthText(layers: readonly LayerSummary[]): string[] {
  const [image, first] = [layers[0]?.outputShape.slice(1) ?? [], layers.find(({ type }) => type === "Conv2D")];
  const sides = image.filter((side) => side !== null);
  if (first === undefined || sides.length !== 3 || image.length !== 3) return [];
  const [height, width, channels] = sides as [number, number, number];
  const filters = first.outputShape.at(-1) ?? 1;
  const dense = (scale: number): string => grouped((height * scale * width * scale * channels + 1) * filters);
  return [
    "",
    `${first.name} has ${grouped(first.params)} parameters for its ${filters} filters, whatever the image's size. A dense layer of ${filters} units on the ${image.join("x")} pixels would have ${dense(1)}, on twice the height and width ${dense(2)}; and it would not know which pixels are neighbors.`,
  ];
}
