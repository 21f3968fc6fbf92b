import type { Context } from "../../terminal/context.ts";
import { grouped, percent } from "../../terminal/format.ts";
import { text, type ValuesOf, whole } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";

export const options = {
  kernels: text("<list>", "the windows one after another (default: 3,3,3); 3s2 has stride 2, 3d2 dilation 2"),
  channels: whole(1, "<n>", "channels of all maps, for the weights (default: 64)"),
  out: text("<file>", "draws the weights of the pixels into this .svg, .png or .html"),
};

/** `convkit explain stack`: what several windows see together, and how much each pixel counts. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { effectiveReceptiveField } = await import("@convkit/core");
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  const { kernels = "3,3,3", channels = 64, out: file } = given;
  if (file !== undefined) pictureFormat(file);
  const windows = kernels.split(",").map((each) => {
    const [, kernel, stride, dilation] = /^(\d+)(?:s(\d+))?(?:d(\d+))?$/.exec(each.trim()) ?? [];
    if (kernel === undefined) throw new UsageError(`--kernels must be windows such as 3,3s2,3d2, not "${kernels}".`);
    return { kernel: Number(kernel), stride: Number(stride ?? 1), dilation: Number(dilation ?? 1) };
  });
  const { size, weights, deviation, effective } = effectiveReceptiveField(windows);
  const square = channels * channels;
  const params = windows.reduce((sum, { kernel }) => sum + kernel * kernel * square, 0);
  const single = size * size * square;
  const most = Math.max(...weights);
  const bars =
    size <= 61
      ? [...weights].map((weight) => `${percent(weight).padStart(8)}  ${"█".repeat(Math.round((weight / most) * 40))}`)
      : [];
  const lines = [
    `${kernels} see ${size}x${size} pixels together.`,
    `weights with ${channels} channels throughout: ${grouped(params)}, which is ${percent(params / single)} of the ${grouped(single)} of one ${size}x${size} window.`,
    `With equal weights the pixels count as a bell: deviation ${deviation.toFixed(2)} pixels, about 95 % within ${effective.toFixed(1)}.`,
    ...(bars.length === 0 ? [] : ["", "the weight of each pixel along one axis:", ...bars]),
  ];
  if (file !== undefined) {
    const { profilePicture } = await import("../../outputs/profile-picture.ts");
    await writePicture(
      file,
      profilePicture(kernels, { size, weights, deviation, effective }),
      lines.join("\n"),
      "A stack of convolutions",
    );
  }
  out.result({ windows, size, params, single, deviation, effective, weights: [...weights] }, lines.join("\n"));
}
