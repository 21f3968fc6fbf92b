import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { negated, type ValuesOf, whole } from "../../terminal/option.ts";
import { paddingOf, windowOptions } from "./window-options.ts";

export const options = {
  ...windowOptions,
  filters: whole(1, "<n>", "number of filters (default: as many as channels)"),
  stride: whole(1, "<n>", "step of the window (default: 1)"),
  dilation: whole(1, "<n>", "distance between the window's taps (default: 1)"),
  bias: negated("without biases"),
};

/** `convkit explain conv`: output size and cost of a convolution. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { outputSize } = await import("@convkit/core");
  const { input, kernel, stride = 1, dilation = 1, filters = input[2], bias = true } = given;
  const [height, width, channels] = input;
  const padding = paddingOf(given.padding);
  const { size, whole, warning } = outputSize([height, width], { kernel, stride, dilation, padding });
  const params = kernel * kernel * channels * filters + (bias ? filters : 0);
  const macs = size[0] * size[1] * kernel * kernel * channels * filters;
  const output = [...size, filters];
  const lines = [
    `${input.join("x")} -> ${output.join("x")}: ${filters} filters of ${kernel}x${kernel}x${channels}, stride ${stride}, padding ${given.padding ?? "valid"}`,
    `parameters: ${kernel} * ${kernel} * ${channels} * ${filters}${bias ? ` + ${filters}` : ""} = ${grouped(params)}`,
    `multiply-adds: ${size[0]} * ${size[1]} * ${kernel} * ${kernel} * ${channels} * ${filters} = ${grouped(macs)}`,
    ...(warning === undefined ? [] : [warning]),
  ];
  out.result({ input, output, params, macs, whole, warning: warning ?? null }, lines.join("\n"));
}
