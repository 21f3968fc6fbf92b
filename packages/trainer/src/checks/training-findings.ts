import type { Target } from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { TrainingCheck } from "./training-check.ts";

type Parts = Omit<TrainingCheck, "findings">;

/** Layers at the beginning of a network that bring pixels into a small range. */
const scales = /^(Rescaling|Normalization|BatchNormalization|LayerNormalization)$/;

/** Says that pixels come in a range that no layer brings near to 1. */
export function inputFindings(model: LayersModel, { input }: Parts): string[] {
  const { least, most, mean } = input;
  if (least === most) return [`Every pixel of the batch is ${round(mean)}: look at the images.`];
  const scaled = model.layers.slice(0, 4).some((layer) => scales.test(layer.getClassName()));
  if (scaled || Math.max(Math.abs(least), Math.abs(most)) <= 20) return [];
  return [
    `The network sees values from ${round(least)} to ${round(most)}, and learns best from values near 1: give preprocessing, such as { scale: 1 / 255 }.`,
  ];
}

/** Says that one class fills the batch. Labels and the classes of masks may be in all images. */
export function balanceFindings({ classes, input }: Parts, kinds: readonly Target["kind"][]): string[] {
  const [images] = input.shape;
  const only = classes.find((each) => each.images === images);
  if (only === undefined || images < 8 || classes.length < 2 || kinds.some((kind) => kind !== "class")) return [];
  return [`All ${images} images of a shuffled batch are of class ${only.name}: look at the labels.`];
}

/** Says that the network is worse than guessing before it has learned anything. */
export function startFindings({ start: { loss, expected, least } }: Parts, kinds: readonly Target["kind"][]): string[] {
  if (!Number.isFinite(loss))
    return [`The loss at the start is ${loss}: look for images or weights that are no numbers.`];
  if (expected === undefined || loss - least <= 1.5 * (expected - least)) return [];
  if (kinds.includes("numbers"))
    return [
      `The loss at the start is ${round(loss)}, and predicting the means of the numbers gives ${round(expected)}: scale the numbers to values near 1, or the training first learns their means.`,
    ];
  return [
    `The loss at the start is ${round(loss)}, and equal chances give ${round(expected)}: the last layer's initial weights or the input's values are too large, or the classes are in another order.`,
  ];
}

/** Says that one batch cannot be learned by heart, or that weights are not trained. */
export function learningFindings({ start, learned: { steps, loss, accuracy }, still }: Parts): string[] {
  const named = `${still.slice(0, 5).join(", ")}${still.length > 5 ? ", …" : ""}`;
  return [
    ...(still.length === 0
      ? []
      : [`${still.length} trainable weights did not change, no gradient reaches them: ${named}.`]),
    ...(accuracy === 1 || loss - start.least < 0.1 * (start.loss - start.least)
      ? []
      : [
          `After ${steps} steps on one batch its loss is ${round(loss)}${accuracy === undefined ? "" : ` and its accuracy ${(100 * accuracy).toFixed(0)} %`}: a network that can learn the data learns one batch by heart. Look at labels, learning rate and network, or give more steps.`,
        ]),
  ];
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}
