import {
  chain,
  dense,
  dropout,
  features,
  flatten,
  network,
  preprocess,
  setModelMetadata,
  signedPixels,
  withoutDrawing,
} from "@convkit/core";
import { fromArrays, type IndexedDataset } from "@convkit/datasets";
import { createModel } from "@convkit/models";
import { type BatchAugmentation, planAugmentation } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { augmentationPlan } from "./augmentation-plan.ts";
import { changed } from "./augmented-pictures.ts";
import type { Teachable, Tell } from "./lesson.ts";
import { mobilenetWeights } from "./mobilenet-weights.ts";
import { fitTo } from "./pictures.ts";

const size = 224;
const name = "mobilenet-v2";
const head = "predictions";

/** How often MobileNet sees each picture: once as it is, then with other random changes. */
const views = 4;
/** Few pictures at once, for the memory of a phone. */
const batch = 4;

/**
 * A new head on MobileNetV2 (Sandler et al. 2018) with its weights of ImageNet. What lies below the head stays as it is, so each view of a
 * picture goes through it once, and the head learns from what came out.
 */
export const headOnFeatures: Teachable = {
  size,
  async prepare(job, { data, validation }, tell, signal) {
    const classes = job.classes.map((each) => each.name);
    tell("Loading the weights of MobileNet", 0);
    const whole = withoutDrawing(() => createModel(name, { input: [size, size, 3], classes: classes.length }));
    const below = features(whole, ["global_average_pooling2d"]);
    await mobilenetWeights(below, job.weights);

    const plan = augmentationPlan(job.augmentation);
    const shown = plan === undefined ? 1 : views;
    const all = data.size * shown + (validation?.size ?? 0);
    const look = { below, change: plan && planAugmentation(plan, classes.length), signal };
    const count =
      (from: number): Tell =>
      (_, seen) =>
        tell(`MobileNet looks at picture ${from + seen} of ${all}`, (from + seen) / all);
    const learned = await featuresOf(data, shown, { ...look, tell: count(0) });
    const kept = validation && (await featuresOf(validation, 1, { ...look, tell: count(data.size * shown) }));

    const body = chain({
      flatten: flatten(),
      drop: dropout(0.2),
      [head]: dense(classes.length, { activation: "softmax" }),
    });
    const model = network(learned.shape, body, { seed: 1 });
    return {
      model,
      data: learned,
      validation: kept,
      options: {},
      whole() {
        whole.getLayer(head).setWeights(model.getLayer(head).getWeights());
        model.dispose();
        const metadata = { name: "playground-mobilenet-v2", architecture: name, classes };
        return setModelMetadata(whole, { ...metadata, preprocessing: signedPixels, images: fitTo(size) });
      },
    };
  },
};

interface Look {
  readonly below: LayersModel;
  readonly change: BatchAugmentation | undefined;
  readonly signal: AbortSignal;
  /** Is called with the number of pictures that were seen. */
  readonly tell: Tell;
}

/** What a network gives for each picture as it is, and for `shown - 1` changed views of each. */
async function featuresOf(data: IndexedDataset, shown: number, { below, change, signal, tell }: Look) {
  const width = below.outputs[0]!.shape.at(-1)!;
  const images = new Float32Array(data.size * shown * width);
  const labels: number[] = [];
  for (let view = 0; view < shown; view++) {
    for await (const each of data.batches({ batch })) {
      signal.throwIfAborted();
      const y = tf.tidy(() => {
        const x = tf.tensor4d(each.images as Uint8Array, each.shape, "float32");
        return below.predict(preprocess(changed(x, view === 0 ? undefined : change), signedPixels)) as tf.Tensor;
      });
      images.set(await y.data(), labels.length * width);
      y.dispose();
      labels.push(...each.labels);
      each.release?.();
      tell("", labels.length);
      // Lets a stop come in between.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return fromArrays({ images, shape: [1, 1, width], labels, classes: data.classes, name: "features" });
}
