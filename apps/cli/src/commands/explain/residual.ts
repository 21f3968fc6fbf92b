import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { size, text, type ValuesOf, whole } from "../../terminal/option.ts";

export const options = {
  input: size("size of the map (default: 28x28x256)"),
  filters: whole(1, "<n>", "channels after the block (default: as many as before)"),
  stride: whole(1, "<n>", "stride of the block (default: 1)"),
  out: text("<file>", "draws the block into this .svg, .png or .html"),
};

/** `convkit explain residual`: what a shortcut adds, and what it needs where shapes differ. */
export async function run(context: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { conv } = await import("@convkit/core");
  const { basicBlock } = await import("@convkit/blocks");
  const { costNumbers, costOf, costTable, drawBlock } = await import("./cost.ts");
  const { engineInUse } = await import("../../inputs/use-engine.ts");
  const { input = [28, 28, 256], filters = input[2], stride = 1, out: file } = given;
  if (file !== undefined) (await import("../../outputs/picture.ts")).pictureFormat(file);
  await engineInUse(context);
  const built = basicBlock(filters, { stride, padding: "same" });
  const block = costOf("residual block", input, built);
  const projects = stride > 1 || filters !== input[2];
  const projection = costOf("its 1x1 projection", input, conv(filters, 1, { stride, padding: "valid", bias: false }));
  const costs = projects ? [block, projection] : [block];
  const lines = [
    `y = F(x) + x, with F two 3x3 convolutions: x is ${input.join("x")}, F(x) is ${block.output.join("x")}.`,
    projects
      ? `A sum needs equal shapes, so x goes through a 1x1 convolution with stride ${stride} and ${filters} filters: a projection, ${input[2]} * ${filters} = ${grouped(projection.params)} weights.`
      : "The shapes are equal, so x is added as it is: an identity shortcut, without parameters.",
    "",
    costTable(costs),
    "",
    "With an identity shortcut the gradient reaches x undiminished, whatever the gradient through F: dy/dx = dF/dx + 1. So deep networks learn.",
    "Where a block has nothing to add, its weights become small and it passes x on: more layers need not do harm.",
  ];
  const title = `residual block on ${input.join("x")}`;
  await drawBlock(file, input, built, { title, text: lines.join("\n") });
  context.out.result(
    { input, filters, stride, shortcut: projects ? "projection" : "identity", costs: costNumbers(costs) },
    lines.join("\n"),
  );
}
