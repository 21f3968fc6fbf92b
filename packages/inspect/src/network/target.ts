import { modelMetadata } from "@convkit/core";
import { checkEngine, checkModel, endOf, evaluator, finishOutput } from "@convkit/core/internal";
import type { ModelEnd, Values } from "@convkit/core/internal";
import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Which number of the network is explained. */
export interface TargetOptions {
  /** Number or name of a class; the class with the largest score by default. With one sigmoid, 0 and 1. */
  readonly class?: number | string | undefined;
  /** Which output of a model with several; the first (0) by default. */
  readonly output?: number | undefined;
}

/** What every explanation says of the number that it explains. */
export interface Explained {
  readonly class: number;
  /** The class' score for the image: the logit, before softmax or sigmoid. */
  readonly score: number;
  /** False for a network whose end is no softmax or sigmoid of one layer, such as a mean of probabilities: `score` is then its output. */
  readonly isLogit: boolean;
}

/** The class scores of a model with one input of images. */
export interface Target {
  readonly model: tfl.LayersModel;
  readonly end: ModelEnd;
  readonly classes: readonly string[] | undefined;
  /** Scores before softmax or sigmoid: `[n, classes]`. */
  scores(images: tf.Tensor, given?: Values): { readonly values: tf.Tensor2D; readonly areLogits: boolean };
  /** The sum of the images' scores of a class. */
  sum(explained: Pick<Explained, "class">, images: tf.Tensor, given?: Values): tf.Scalar;
}

export function targetOf(where: string, model: tfl.LayersModel, output: unknown = 0): Target {
  checkModel(where, model);
  checkEngine(where);
  const symbol = model.outputs[output as number];
  if (symbol === undefined) {
    throw new OptionError(
      `${where}: expected output as a number from 0 to ${model.outputs.length - 1}, got ${shown(output)}.`,
    );
  }
  if (symbol.shape.slice(1, -1).some((size) => size !== 1)) {
    throw new OptionError(
      `${where}: expected an output of class scores [n, classes], ${model.name} has ${shown(symbol.shape)}.`,
    );
  }
  const end = endOf(symbol);
  const scores: Target["scores"] = (images, given) => {
    const { values, areLogits } = finishOutput(end, evaluator(model, images, given)(end.base));
    return { values: tf.reshape(values, [values.shape[0], -1]), areLogits };
  };
  return {
    model,
    end,
    classes: modelMetadata(model).classes,
    scores,
    sum: (explained, images, given) => {
      const { values } = scores(images, given);
      return tf.sum(columnOf(values, explained.class));
    },
  };
}

/** The column of a class. One sigmoid's logit speaks for class 1, its negative for class 0. `[n, classes] -> [n]` */
export function columnOf(values: tf.Tensor2D, index: number): tf.Tensor1D {
  const [rows, columns] = values.shape;
  const column: tf.Tensor1D = tf.reshape(tf.slice(values, [0, columns === 1 ? 0 : index], [rows, 1]), [rows]);
  return columns === 1 && index === 0 ? tf.neg(column) : column;
}

/** The class that is asked for, or that has the largest score, with its score for the one image. */
export async function explainedClass(
  where: string,
  target: Target,
  image: tf.Tensor4D,
  wanted: TargetOptions["class"],
): Promise<Explained> {
  const { values, areLogits } = tf.tidy(() => target.scores(image));
  const row = [...(await values.data())];
  values.dispose();
  const scores = row.length === 1 ? [-(row[0] as number), row[0] as number] : row;
  const index =
    wanted === undefined ? scores.indexOf(Math.max(...scores)) : classIndex(where, target, wanted, scores.length);
  return { class: index, score: scores[index] as number, isLogit: areLogits };
}

function classIndex(where: string, { classes }: Target, wanted: unknown, count: number): number {
  const index = typeof wanted === "string" ? (classes?.indexOf(wanted) ?? -1) : wanted;
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < count) return index as number;
  const names =
    classes === undefined ? "" : ` or one of ${classes.slice(0, 12).join(", ")}${classes.length > 12 ? ", …" : ""}`;
  throw new OptionError(`${where}: expected class as a number from 0 to ${count - 1}${names}, got ${shown(wanted)}.`);
}
