import { type Batch, type Dataset, fromArrays, type IndexedDataset } from "@convkit/datasets";
import { targetsOf } from "../objective/output-tasks.ts";
import type { TrainingCheck } from "./training-check.ts";

/** A data set of one batch of another. */
export function datasetOf(data: Dataset, { images, shape, labels, targets = {}, inputs = {} }: Batch): IndexedDataset {
  const base = {
    name: `one batch of ${data.name}`,
    images,
    shape: [shape[1], shape[2], shape[3]] as const,
    ...(data.inputs && {
      inputs: Object.fromEntries(
        Object.entries(data.inputs).map(([name, size]) => [name, { values: inputs[name]!, shape: size }]),
      ),
    }),
  };
  if (data.targets === undefined) return fromArrays({ ...base, labels, classes: [...data.classes] });
  const own = Object.entries(data.targets).map(([name, { kind, names, ignore }]) => [
    name,
    { kind, names, values: targets[name]!, ...(ignore !== undefined && { ignore }) },
  ]);
  return fromArrays({ ...base, targets: Object.fromEntries(own) });
}

/** How many images have each class, each label, or a pixel of each class. */
export function batchClasses(data: IndexedDataset, { labels }: Batch): TrainingCheck["classes"] {
  const images = labels.length;
  return Object.entries(targetsOf(data)).flatMap(([target, { kind, names }]) => {
    if (kind === "numbers") return [];
    const values: ArrayLike<number> = data.targetValues?.[target] ?? labels;
    const size = values.length / images;
    const has = (row: number, label: number): boolean => {
      if (kind === "labels") return values[row * size + label]! > 0.5;
      for (let place = row * size; place < (row + 1) * size; place += 1) if (values[place] === label) return true;
      return false;
    };
    return names.map((name, label) => ({
      name,
      images: Array.from({ length: images }, (_, row) => row).filter((row) => has(row, label)).length,
    }));
  });
}
