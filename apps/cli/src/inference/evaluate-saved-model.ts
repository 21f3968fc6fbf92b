import type { Batch, Dataset } from "@convkit/datasets";
import { type Evaluation, type EvaluateOptions, evaluator } from "@convkit/trainer";
import { flipHorizontally } from "./flip-images.ts";
import { CliError } from "../terminal/usage-error.ts";
import type { SavedNetwork } from "../inputs/saved-model.ts";

type Options = Pick<EvaluateOptions, "batch" | "mirror" | "signal" | "onBatch">;

/**
 * Evaluates a SavedModel like the trainer evaluates a model. Only probabilities are known, so the loss is their cross-
 * entropy.
 */
export async function evaluateSaved(
  name: string,
  network: SavedNetwork,
  data: Dataset,
  { batch = 32, mirror = false, signal, onBatch }: Options,
): Promise<Evaluation> {
  const evaluation = evaluator(data.classes, { mistakes: 0 });
  let seen = 0;
  for await (const each of data.batches({ batch })) {
    signal?.throwIfAborted();
    const { labels, indices } = each;
    const probabilities = await probabilitiesOf(network, each, mirror);
    const outputs = probabilities.length / labels.length;
    checkProbabilities(name, probabilities, outputs, data);
    const loss = crossEntropy(probabilities, labels, outputs);
    const judged = evaluation.add({ labels, indices, probabilities, loss });
    seen += labels.length;
    await onBatch?.({ indices, labels, ...judged, seen });
  }
  return evaluation.result();
}

async function probabilitiesOf(
  network: SavedNetwork,
  { images, shape }: Batch,
  mirror: boolean,
): Promise<Float32Array> {
  const { data } = await network.classify({ data: images, shape });
  if (!mirror) return data;
  const mirrored = await network.classify({ data: flipHorizontally(images, shape[2], shape[3]), shape });
  return data.map((value, index) => (value + mirrored.data[index]!) / 2);
}

/** Refuses outputs that are not probabilities: with logits, all numbers except the loss would look right. */
function checkProbabilities(name: string, values: Float32Array, outputs: number, { classes, ...data }: Dataset): void {
  const fits = outputs === classes.length || (outputs === 1 && classes.length === 2);
  if (!fits) throw new CliError(`${data.name} has ${classes.length} classes but ${name} has ${outputs} outputs.`);
  for (let row = 0; row < values.length; row += outputs) {
    const own = values.subarray(row, row + outputs);
    const sum = outputs === 1 ? 1 : own.reduce((total, value) => total + value, 0);
    if (Math.abs(sum - 1) > 1e-3 || own.some((value) => !(value >= 0 && value <= 1 + 1e-3)))
      throw new CliError(
        `${name} does not give probabilities, which evaluate needs: write it with its softmax or sigmoid.`,
      );
  }
}

function crossEntropy(probabilities: Float32Array, labels: Int32Array, outputs: number): number {
  const probabilityOf = (label: number, row: number): number => {
    const value = probabilities[row * outputs + (outputs === 1 ? 0 : label)]!;
    return outputs === 1 && label === 0 ? 1 - value : value;
  };
  const losses = Array.from(labels, (label, row) => -Math.log(Math.max(1e-7, probabilityOf(label, row))));
  return losses.reduce((sum, loss) => sum + loss, 0) / labels.length;
}
