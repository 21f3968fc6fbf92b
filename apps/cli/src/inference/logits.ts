import { preprocess } from "@convkit/core";
import type { IndexedDataset } from "@convkit/datasets";
import { executable } from "@convkit/graph";
import { modelOutputs } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { ResolvedModel } from "../inputs/model-source.ts";
import { CliError } from "../terminal/usage-error.ts";

/** Logits `[n, classes]` and classes `[n]` of a data set's images. */
export interface ImageLogits {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/**
 * The logits of all images, up to a constant for each image: softmax gives the same. One logit of a sigmoid becomes two, 0 and its own.
 */
export async function imageLogits(
  { model, preprocessing }: Pick<ResolvedModel, "model" | "preprocessing">,
  data: IndexedDataset,
  options: { readonly batch: number; readonly signal: AbortSignal; readonly onBatch?: (seen: number) => void },
): Promise<ImageLogits> {
  const outputs = model.outputs[0]!.shape.at(-1)!;
  const classes = Math.max(2, outputs);
  if (classes !== data.classes.length)
    throw new CliError(`${data.name} has ${data.classes.length} classes but ${model.name} tells ${classes} apart.`);
  const forward = executable((images) => {
    const [{ values, areLogits } = { values: undefined, areLogits: false }] = modelOutputs(
      model,
      preprocess(images as tf.Tensor4D, preprocessing),
    );
    const rows = tf.reshape(values!, [-1, outputs]);
    if (outputs > 1) return [areLogits ? rows : tf.log(tf.maximum(rows, 1e-30))];
    const logit = areLogits
      ? rows
      : tf.sub(tf.log(tf.maximum(rows, 1e-30)), tf.log(tf.maximum(tf.sub(1, rows), 1e-30)));
    return [tf.concat([tf.zerosLike(logit), logit], 1)];
  });
  const logits = new Float32Array(data.size * classes);
  const labels = new Int32Array(data.size);
  let seen = 0;
  try {
    for await (const each of data.batches({ batch: options.batch })) {
      options.signal.throwIfAborted();
      const [made] = await forward.run([{ data: each.images, shape: each.shape }]);
      logits.set(made!.data, seen * classes);
      labels.set(each.labels, seen);
      seen += each.labels.length;
      each.release?.();
      options.onBatch?.(seen);
    }
  } finally {
    await forward.dispose();
  }
  // Images that cannot be read are left out.
  return { logits: logits.subarray(0, seen * classes), labels: labels.subarray(0, seen), classes };
}
