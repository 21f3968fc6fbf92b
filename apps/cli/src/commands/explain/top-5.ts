import type { Context } from "../../terminal/context.ts";
import { percent, table } from "../../terminal/format.ts";
import { text, type ValuesOf } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";

export const options = {
  scores: text("<numbers>", "the logits of one image, one for each class, as 2.1,0.3,1.7"),
  label: text("<n>", "number of the right class, from 0 on (default: 3)"),
  out: text("<file>", "draws the probabilities into this .svg, .png or .html"),
};

/** `convkit explain top-5`: softmax, ranks, and when an answer counts. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { pictureFormat, writePicture } = await import("../../outputs/picture.ts");
  if (given.out !== undefined) pictureFormat(given.out);
  const scores = (given.scores ?? "1.2,0.1,2.4,1.9,-0.5,0.8,1.5,-1.1")
    .split(",")
    .map((each) => (each.trim() === "" ? Number.NaN : Number(each)));
  if (scores.some((each) => !Number.isFinite(each)))
    throw new UsageError(`--scores must be numbers, such as 2.1,0.3,1.7, not "${given.scores}".`);
  const label = Number(given.label ?? "3");
  if (!Number.isInteger(label) || label < 0 || label >= scores.length)
    throw new UsageError(
      `--label must be from 0 to ${scores.length - 1}, one of the ${scores.length} scores, not ${given.label}.`,
    );
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  const ranked = scores
    .map((score, index) => ({ class: index, score, probability: (powers[index] as number) / sum }))
    .toSorted((a, b) => b.score - a.score || a.class - b.class);
  const rank = ranked.findIndex((each) => each.class === label) + 1;
  const verdict = (k: number): string => `top-${k}: ${rank <= k ? "right" : "wrong"}`;
  const lines = [
    table(
      ["rank", "class", "score", "softmax"],
      ranked.map((each, i) => [
        String(i + 1),
        `${each.class}${each.class === label ? " (label)" : ""}`,
        String(each.score),
        percent(each.probability),
      ]),
      { left: 2 },
    ),
    "",
    `softmax of class c: e^score(c) / the sum of all e^score. The label is at rank ${rank}: ${verdict(1)}, ${verdict(5)}.`,
    "Top-5 accuracy is the share of images whose label is among the five largest scores. ILSVRC ranked by the top-5 error, as photos often show several things and only one is the label.",
  ];
  if (given.out !== undefined) {
    const { barPicture } = await import("../../outputs/bar-picture.ts");
    const bars = ranked.map((each, i) => ({
      name: `${i + 1}. class ${each.class}${each.class === label ? " (label)" : ""}`,
      value: each.probability,
      text: percent(each.probability),
      marked: each.class === label,
    }));
    const groups = [
      { title: "the five largest: an answer among them counts", bars: bars.slice(0, 5) },
      { title: "the rest", bars: bars.slice(5) },
    ].filter((group) => group.bars.length > 0);
    const title = `The label is at rank ${rank}: ${verdict(1)}, ${verdict(5)}`;
    await writePicture(given.out, barPicture(title, groups, { oneScale: true }), lines.join("\n"), "Top-5 accuracy");
  }
  out.result({ label, rank, top1: rank <= 1, top5: rank <= 5, ranked }, lines.join("\n"));
}
