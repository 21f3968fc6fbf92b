import type { Context } from "../../terminal/context.ts";
import { choice, text, type ValuesOf, whole } from "../../terminal/option.ts";
import { exampleOf, padsText, sizeFormula, smallMapOf } from "./example.ts";
import { paddingOf, usualWindow, windowOptions } from "./window-options.ts";

export const options = {
  ...windowOptions,
  stride: whole(1, "<n>", "step of the window (default: the kernel's size)"),
  kind: choice(["max", "average"], "<kind>", "what the example computes (default: max)"),
  out: text("<file>", "draws an example with numbers into this .svg, .png or .html"),
};

/** `convkit explain pool`: output size of a pool, with an example. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { outputSize } = await import("@convkit/core");
  const { drawWindow, windowText } = await import("@convkit/inspect");
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  const { input = usualWindow.input, kernel = usualWindow.kernel, stride = kernel, kind = "max", out: file } = given;
  if (file !== undefined) pictureFormat(file);
  const padding = paddingOf(given.padding);
  const size: [number, number] = [input[0], input[1]];
  const window = { kernel, stride, dilation: 1, padding };
  const { size: outputs, whole, warning } = outputSize(size, { kernel, stride, padding });
  const output = [...outputs, input[2]];
  const example = exampleOf(size, window);
  const shown = { input: example?.input ?? smallMapOf(size, window), kernel, stride, padding, operation: kind };
  const lines = [
    `${input.join("x")} -> ${output.join("x")}: windows of ${kernel}x${kernel}, stride ${stride}, padding ${given.padding ?? "valid"}, no parameters`,
    `output height: ${sizeFormula(size, outputs[0], window)}`,
    padsText(size, window),
    ...(warning === undefined ? [] : [warning]),
    ...(example === undefined
      ? []
      : ["", `An example (${kind}); the window's first place is in brackets:`, windowText(shown)]),
  ];
  if (file !== undefined) await writePicture(file, drawWindow(shown), lines.join("\n"), "Pooling");
  out.result({ input, output, params: 0, whole, warning: warning ?? null }, lines.join("\n"));
}
