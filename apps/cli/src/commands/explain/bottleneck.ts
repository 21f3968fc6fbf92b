import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { size, text, type ValuesOf, whole } from "../../terminal/option.ts";

export const options = {
  input: size("size of the map (default: 28x28x256)"),
  kernel: whole(1, "<n>", "height and width of the window (default: 3)"),
  filters: whole(1, "<n>", "number of filters (default: as many as channels)"),
  reduced: whole(1, "<n>", "channels between the 1x1 convolution and the larger one (default: a quarter of the map's)"),
  out: text("<file>", "draws both ways as bars into this .svg, .png or .html"),
};

/** `convkit explain bottleneck`: what a 1x1 convolution before a larger one saves. */
export async function run(context: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { chain, conv } = await import("@convkit/core");
  const { costNumbers, costOf, costTable, drawCosts } = await import("./cost.ts");
  const { engineInUse } = await import("../../inputs/use-engine.ts");
  const { input = [28, 28, 256], kernel = 3, filters = input[2], out: file } = given;
  const { reduced = Math.max(1, Math.floor(input[2] / 4)) } = given;
  if (file !== undefined) (await import("../../outputs/picture.ts")).pictureFormat(file);
  await engineInUse(context);
  const same = { padding: "same" } as const;
  const direct = costOf(`${kernel}x${kernel}`, input, conv(filters, kernel, same));
  const block = chain([conv(reduced, 1, same), conv(filters, kernel, same)]);
  const costs = [direct, costOf(`1x1 to ${reduced}, ${kernel}x${kernel}`, input, block)];
  const [height, width, channels] = input;
  const k = kernel * kernel;
  const lines = [
    costTable(costs),
    "",
    `direct: ${height} * ${width} * ${k} * ${channels} * ${filters} = ${grouped(direct.macs)} multiply-adds`,
    `with ${reduced} channels between: ${height} * ${width} * (${channels} * ${reduced} + ${k} * ${reduced} * ${filters}) = ${grouped(costs[1]?.macs ?? 0)}`,
    `The 1x1 convolution hands on ${reduced} mixtures of ${channels} channels. What those cannot hold is lost to the larger window: too narrow a bottleneck costs accuracy.`,
  ];
  await drawCosts(
    file,
    `${input.join("x")} through ${kernel}x${kernel} to ${filters} channels`,
    costs,
    lines.join("\n"),
  );
  context.out.result({ input, kernel, filters, reduced, costs: costNumbers(costs) }, lines.join("\n"));
}
