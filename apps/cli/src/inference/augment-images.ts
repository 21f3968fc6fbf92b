import { type Batch, seededRandom } from "@convkit/datasets";
import { type AugmentationPlan, checkPlan, planAugmentation } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { engineInUse } from "../inputs/use-engine.ts";

/** Augments the images of a batch as in training; the same `--seed` gives the same images. */
export async function augmentedImages(
  context: Context,
  { images, shape, labels }: Batch,
  { json, classes }: { readonly json: string; readonly classes: number },
): Promise<Float32Array> {
  const plan = augmentationOf(json);
  await engineInUse(context);
  const result = tf.tidy(() => {
    const pixels = tf.tensor4d(Float32Array.from(images), shape);
    const targets = tf.tensor1d(labels, "int32");
    return planAugmentation(plan, classes)(pixels, targets, seededRandom(context.options.seed ?? 0)).images;
  });
  const values = await result.data<"float32">();
  result.dispose();
  return values;
}

function augmentationOf(json: string): AugmentationPlan {
  let plan: AugmentationPlan;
  try {
    plan = JSON.parse(json) as AugmentationPlan;
  } catch {
    throw new UsageError(`--augment must be JSON, as in '{"flip": "horizontal", "rotation": 0.1}', not ${json}.`);
  }
  try {
    checkPlan({ augment: plan });
  } catch (error) {
    throw new UsageError(`--augment is invalid: ${(error as Error).message}`);
  }
  return plan;
}
