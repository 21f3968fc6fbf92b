import type { Context } from "../../terminal/context.ts";
import { text, type ValuesOf } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";

export const options = {
  image: text("<rows>", "the map's numbers, as 1,2,0/0,1,3/2,1,0"),
  kernel: text("<rows>", "the kernel's numbers, as 1,0/0,2"),
  out: text("<file>", "draws both into this .svg, .png or .html"),
};

/** `convkit explain correlation`: what networks call a convolution, and the convolution of mathematics. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { convolve, crossCorrelate } = await import("@convkit/core");
  const { drawWindow, windowText } = await import("@convkit/inspect");
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  const { stackedSvg } = await import("../../outputs/stacked-svg.ts");
  const { image: imageText = "1,2,0/0,1,3/2,1,0", kernel: kernelText = "1,0/0,2", out: file } = given;
  if (file !== undefined) pictureFormat(file);
  const [image, kernel] = [matrixOf("image", imageText), matrixOf("kernel", kernelText)];
  const [correlated, convolved] = [crossCorrelate(image, kernel), convolve(image, kernel)];
  const turned = kernel.toReversed().map((row) => row.toReversed());
  const lines = [
    "Cross-correlation: the kernel slides as it is. This is what networks compute and call a convolution.",
    windowText({ input: image, kernel }),
    "",
    "Convolution of mathematics: the kernel is turned by 180 degrees first.",
    windowText({ input: image, kernel: turned }),
    "",
    JSON.stringify(correlated) === JSON.stringify(convolved)
      ? "Both are equal here: the kernel stays the same when it is turned."
      : "A network learns its kernels, so it would only learn them turned: both can represent the same functions.",
  ];
  if (file !== undefined) {
    const sides = (map: readonly (readonly number[])[]): string => `${map.length}×${map[0]!.length}`;
    const sizes = `${sides(kernel)}: ${sides(image)} to ${sides(correlated)}`;
    const both = stackedSvg([
      {
        title: "Cross-correlation, the convolution of networks: the kernel as it is",
        svg: drawWindow({ input: image, kernel, title: `cross-correlation ${sizes}` }),
      },
      {
        title: "Convolution of mathematics: the kernel turned by 180 degrees",
        svg: drawWindow({ input: image, kernel: turned, title: `convolution ${sizes}` }),
      },
    ]);
    await writePicture(file, both, lines.join("\n"), "Cross-correlation and convolution");
  }
  out.result({ image, kernel, correlated, convolved }, lines.join("\n"));
}

/** Rows between `/`, numbers between `,`. */
function matrixOf(name: string, text: string): number[][] {
  const rows = text
    .split("/")
    .map((row) => row.split(",").map((each) => (each.trim() === "" ? Number.NaN : Number(each))));
  if (rows.some((row) => row.length !== rows[0]?.length || row.some((value) => !Number.isFinite(value))))
    throw new UsageError(`--${name} must be rows of as many numbers each, such as 1,2,0/0,1,3/2,1,0, not "${text}".`);
  return rows;
}
