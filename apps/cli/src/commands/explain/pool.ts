import type { Context } from "../../terminal/context.ts";
import { type ValuesOf, whole } from "../../terminal/option.ts";
import { paddingOf, windowOptions } from "./window-options.ts";

export const options = {
  ...windowOptions,
  stride: whole(1, "<n>", "step of the window (default: the kernel's size)"),
};

/** `convkit explain pool`: output size of a pool. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { outputSize } = await import("@convkit/core");
  const { input, kernel, stride = kernel } = given;
  const padding = paddingOf(given.padding);
  const { size, whole, warning } = outputSize([input[0], input[1]], { kernel, stride, padding });
  const output = [...size, input[2]];
  const lines = [
    `${input.join("x")} -> ${output.join("x")}: windows of ${kernel}x${kernel}, stride ${stride}, padding ${given.padding ?? "valid"}, no parameters`,
    ...(warning === undefined ? [] : [warning]),
  ];
  out.result({ input, output, params: 0, whole, warning: warning ?? null }, lines.join("\n"));
}
