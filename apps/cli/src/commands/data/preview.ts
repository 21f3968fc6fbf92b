import type { Context } from "../../terminal/context.ts";
import { required, text, type ValuesOf, whole } from "../../terminal/option.ts";
import { pixelSize } from "../../terminal/parsers.ts";
import { placeOptions, shardOptions, targetsGiven } from "../../inputs/data-options.ts";
import { userPath } from "../../inputs/user-path.ts";

export const options = {
  out: required(text("<file.png>", "the file to write")),
  count: whole(1, "<n>", "number of images (default: 36)"),
  size: { value: "<HxW>", about: "size that image files are resized to", read: pixelSize },
  augment: text("<json>", 'augmentation, as in {"flip": "horizontal", "rotation": 0.1}'),
  ...placeOptions,
  ...shardOptions,
};

/** `convkit data preview`: some training images on one sheet, augmented on request. */
export async function run(context: Context, given: ValuesOf<typeof options>, data: string): Promise<void> {
  const { contactSheet } = await import("@convkit/datasets");
  const { writeFileAtomic } = await import("@convkit/files");
  const { augmentedImages } = await import("../../inference/augment-images.ts");
  const { dataNotes } = await import("../../inputs/data-notes.ts");
  const { loadSplits } = await import("../../inputs/load-data.ts");
  const { seed = 0 } = context.options;
  const { out, count = 36, augment, size, dataFrom, outside } = given;
  const image = size && ([...size, 3] as const);
  const { train } = await loadSplits(context, { data, dataFrom, outside, seed, image, ...targetsGiven(given) });
  dataNotes(context.out, train)();
  for await (const batch of train.batches({ batch: count, shuffle: true, seed })) {
    const captions = [...batch.labels].map((label) => train.classes[label]!);
    const images =
      augment === undefined
        ? batch.images
        : await augmentedImages(context, batch, { json: augment, classes: train.classes.length });
    await writeFileAtomic(userPath(out), await contactSheet({ images, shape: batch.shape }, { captions }));
    context.out.result(
      { written: userPath(out), images: batch.labels.length },
      `${out}: ${batch.labels.length} images of ${train.name}`,
    );
    return;
  }
}
