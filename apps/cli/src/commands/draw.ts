import type { Context } from "../terminal/context.ts";
import { choice, negated, text, type ValuesOf, whole } from "../terminal/option.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  depth: whole(0, "<n>", "levels of blocks that are open; 0 folds all (default: the most that stays under 60 boxes)"),
  open: text("<names>", "blocks that are open at any depth, as a,b"),
  fold: text("<names>", "blocks that are folded at any depth, as a,b"),
  repeats: negated("draws each of several equal blocks in a row"),
  direction: choice(["down", "right"], "<side>", "where the output lies (default: down)"),
  width: choice(["equal", "channels", "macs"], "<what>", "what the width of a box tells (default: equal, nothing)"),
  theme: choice(["auto", "light", "dark"], "<theme>", "colors; auto follows the reader's setting (default: auto)"),
};

/** `convkit draw`: the picture of a network. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string, out: string): Promise<void> {
  const { depth, open, fold, repeats, direction, width, theme, ...modelGiven } = given;
  const { pictureFormat } = await import("../outputs/picture.ts");
  const format = pictureFormat(out);
  const { draw, drawPage } = await import("@convkit/inspect");
  const { writeFileAtomic } = await import("@convkit/files");
  const { resolveModel } = await import("../inputs/model-source.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  await engineInUse(context);
  const { model } = await resolveModel(name, modelGiven, undefined, (note) => context.out.note(note));
  const names = (list: string | undefined): string[] | undefined => list?.split(",").map((each) => each.trim());
  const wanted = { depth, open: names(open), fold: names(fold), repeats, direction, width, theme };
  const picture = format === "html" ? await drawPage(model, wanted) : await draw(model, wanted);
  const { pngOf, svgSize } = await import("../outputs/svg-png.ts");
  const data = format === "png" ? await pngOf(picture) : picture;
  await writeFileAtomic(userPath(out), data);
  const { width: wide, height: high } = svgSize(picture);
  context.out.result(
    { model: model.name, out, width: wide, height: high },
    `${model.name} is drawn in ${out}${format === "html" ? "" : `, ${wide} x ${high} pixels`}.`,
  );
}
