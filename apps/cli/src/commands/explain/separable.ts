import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { size, text, type ValuesOf, whole } from "../../terminal/option.ts";

export const options = {
  input: size("size of the map (default: 28x28x256)"),
  kernel: whole(1, "<n>", "height and width of the window (default: 3)"),
  filters: whole(1, "<n>", "number of filters (default: as many as channels)"),
  out: text("<file>", "draws both ways as bars into this .svg, .png or .html"),
};

/** `convkit explain separable`: a window for each channel and then a 1x1 convolution, against one convolution. */
export async function run(context: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { conv, separableConv } = await import("@convkit/core");
  const { costNumbers, costOf, costTable, drawCosts } = await import("./cost.ts");
  const { engineInUse } = await import("../../inputs/use-engine.ts");
  const { input = [28, 28, 256], kernel = 3, filters = input[2], out: file } = given;
  if (file !== undefined) (await import("../../outputs/picture.ts")).pictureFormat(file);
  await engineInUse(context);
  const shared = { padding: "same", bias: false } as const;
  const [whole, apart] = [
    costOf(`${kernel}x${kernel}`, input, conv(filters, kernel, shared)),
    costOf(`separable ${kernel}x${kernel}`, input, separableConv(filters, kernel, shared)),
  ] as const;
  const [, , channels] = input;
  const k = kernel * kernel;
  const lines = [
    costTable([whole, apart]),
    "",
    `one convolution: ${k} * ${channels} * ${filters} = ${grouped(whole.params)} weights`,
    `separable: ${k} * ${channels} for the windows + ${channels} * ${filters} for the 1x1 = ${grouped(apart.params)} weights`,
    `share: 1 / ${filters} + 1 / ${k} = ${(1 / filters + 1 / k).toFixed(4)}, whatever the channels`,
    "A separable convolution looks at neighbors and mixes channels in two steps; a network of them assumes that one does not need the other.",
  ];
  await drawCosts(
    file,
    `${input.join("x")} through ${kernel}x${kernel} to ${filters} channels`,
    [whole, apart],
    lines.join("\n"),
  );
  context.out.result({ input, kernel, filters, costs: costNumbers([whole, apart]) }, lines.join("\n"));
}
