import { type Batch, type Dataset, fromArrays, type IndexedDataset } from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { outputTasks, targetsOf } from "../objective/output-tasks.ts";
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

/** The usual loss of equal chances: ln(classes), ln(2) of labels; of numbers the variance, which their means have. */
export function expectedLoss(model: LayersModel, data: IndexedDataset): number {
  const all = outputTasks(model, data, {});
  const tasks = all.filter(({ index, target }) => index === 0 || target !== all[0]!.target);
  return tasks.reduce((sum, { kind, target, units, names }) => {
    if (kind === "labels") return sum + Math.log(2);
    if (kind !== "numbers") return sum + Math.log(Math.max(2, units));
    return sum + meanVariance(data.targetValues![target]!, names.length);
  }, 0);
}

/** The mean of the variances of the columns. */
function meanVariance(values: ArrayLike<number>, width: number): number {
  const rows = values.length / width;
  let total = 0;
  for (let column = 0; column < width; column += 1) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row += 1) sum += values[row * width + column]!;
    const mean = sum / rows;
    for (let row = 0; row < rows; row += 1) squares += (values[row * width + column]! - mean) ** 2;
    total += squares / rows;
  }
  return total / width;
}
