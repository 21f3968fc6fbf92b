import type { Context } from "../../terminal/context.ts";
import { grouped, percent } from "../../terminal/format.ts";
import { negated, text, type ValuesOf, whole } from "../../terminal/option.ts";
import { exampleOf, padsText, sizeFormula, smallMapOf } from "./example.ts";
import { paddingOf, usualWindow, windowOptions } from "./window-options.ts";

export const options = {
  ...windowOptions,
  filters: whole(1, "<n>", "number of filters (default: as many as channels)"),
  stride: whole(1, "<n>", "step of the window (default: 1)"),
  dilation: whole(1, "<n>", "distance between the window's taps (default: 1)"),
  bias: negated("without biases"),
  out: text("<file>", "draws an example with numbers into this .svg, .png or .html"),
};

/** `convkit explain conv`: output size and cost of a convolution, with an example. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { outputSize } = await import("@convkit/core");
  const { drawWindow, windowText } = await import("@convkit/inspect");
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  const { input = usualWindow.input, kernel = usualWindow.kernel, stride = 1, dilation = 1, bias = true } = given;
  const { filters = input[2], out: file } = given;
  if (file !== undefined) pictureFormat(file);
  const [height, width, channels] = input;
  const padding = paddingOf(given.padding);
  const window = { kernel, stride, dilation, padding };
  const { size, whole, warning } = outputSize([height, width], window);
  const params = kernel * kernel * channels * filters + (bias ? filters : 0);
  const macs = size[0] * size[1] * kernel * kernel * channels * filters;
  const output = [...size, filters];
  const example = exampleOf([height, width], window);
  const stack = stackOf(kernel, stride, dilation, channels, filters, bias);
  const lines = [
    `${input.join("x")} -> ${output.join("x")}: ${filters} filter${filters === 1 ? "" : "s"} of ${kernel}x${kernel}x${channels}, stride ${stride}, padding ${given.padding ?? "valid"}`,
    `output height: ${sizeFormula([height, width], size[0], window)}`,
    padsText([height, width], window),
    `parameters: ${kernel} * ${kernel} * ${channels} * ${filters}${bias ? ` + ${filters}` : ""} = ${grouped(params)}`,
    `multiply-adds: ${size[0]} * ${size[1]} * ${kernel} * ${kernel} * ${channels} * ${filters} = ${grouped(macs)}`,
    ...(warning === undefined ? [] : [warning]),
    ...notes(kernel, padding === "same", channels, filters, bias),
    ...(stack === undefined ? [] : [stack.text]),
    ...(example === undefined
      ? []
      : [
          "",
          "An example with one channel and one filter; the window's first place is in brackets, padding counts as 0:",
          windowText({ ...example, stride, dilation, padding }),
        ]),
  ];
  if (file !== undefined) {
    const sizes = example ?? { input: smallMapOf([height, width], window), kernel };
    await writePicture(file, drawWindow({ ...sizes, stride, dilation, padding }), lines.join("\n"), "Convolution");
  }
  const { text: _, ...stackNumbers } = stack ?? { text: "" };
  out.result(
    { input, output, params, macs, whole, warning: warning ?? null, ...(stack && { stack: stackNumbers }) },
    lines.join("\n"),
  );
}

function notes(kernel: number, same: boolean, channels: number, filters: number, bias: boolean): string[] {
  if (kernel === 1) {
    const three = 9 * channels * filters + (bias ? filters : 0);
    return [
      `A 1x1 window sees no neighbors: it mixes the channels of each pixel, ${channels} into ${filters}. A 3x3 window does both, for ${grouped(three)} parameters.`,
    ];
  }
  if (kernel % 2 === 1) {
    const half = (kernel - 1) / 2;
    const sides = same ? "" : ` (same would add ${half} on each side)`;
    return [
      `${kernel} is odd, as most kernels are: the window has a pixel in its middle, and (${kernel} - 1) / 2 = ${half} is whole, so both sides can be padded alike${sides}.`,
    ];
  }
  const pads = same ? ", and same adds one row more below than above, one column more right than left" : "";
  return [`An even window has no pixel in its middle${pads}. Most kernels are odd.`];
}

/** The 3x3 convolutions that see as much as one large kernel, with the same channels in between as at the end. */
function stackOf(
  kernel: number,
  stride: number,
  dilation: number,
  channels: number,
  filters: number,
  bias: boolean,
): { count: number; params: number; text: string } | undefined {
  if (kernel < 5 || kernel % 2 === 0 || stride !== 1 || dilation !== 1) return undefined;
  const count = (kernel - 1) / 2;
  const each = (from: number): number => 9 * from * filters + (bias ? filters : 0);
  const params = each(channels) + (count - 1) * each(filters);
  const single = kernel * kernel * channels * filters + (bias ? filters : 0);
  const saved = 1 - params / single;
  const change = saved >= 0 ? `${percent(saved)} fewer` : `${percent(-saved)} more`;
  return {
    count,
    params,
    text: `${count} convolutions of 3x3 see as much, ${kernel}x${kernel}: ${grouped(params)} parameters, ${change}, and ${count} activations instead of one.`,
  };
}
