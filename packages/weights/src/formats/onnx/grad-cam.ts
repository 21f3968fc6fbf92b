import { endOf, evaluator, findMap, finishOutput, positionKey, sourcesOf } from "@convkit/core/internal";
import type { LayerPosition } from "@convkit/core/internal";
import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { WeightsError } from "../../weights-error.ts";

/** The name of the extra output. */
export const gradCamName = "grad_cam";

/** Grad-CAM of a model from the values of its feature map. */
export interface GradCam {
  readonly map: LayerPosition;
  /** Height and width of the map. */
  readonly shape: readonly [number | null, number | null];
  /** `[n, h, w, c] -> [n, h, w]`, of the most likely class of each image. */
  readonly fromMap: (map: tf.Tensor) => tf.Tensor;
}

/**
 * Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391) of the most likely class, by the gradient of its logit.
 * The layers after the map must need nothing but the map. Throws a `WeightsError` where they need more, and where the model
 * does not end in class scores.
 */
export function gradCamOf(model: tfl.LayersModel, file: string, layer: string | undefined): GradCam {
  const end = endOf(model.outputs[0]!);
  const refuse = (problem: string): never => {
    throw new WeightsError(file, "Grad-CAM", problem);
  };
  if (model.outputs[0]!.shape.slice(1, -1).some((size) => size !== 1))
    return refuse(`expected a first output of class scores, ${model.name} has [${model.outputs[0]!.shape.join(", ")}]`);
  if (end.kind === "probabilities")
    return refuse("expected a model that ends in a softmax, a sigmoid or logits of one layer");
  const map = mapOf(model, layer, sourcesOf(end.base), refuse);
  const key = positionKey(map.position);
  const [, height = null, width = null] = map.position.tensor.shape;
  const fromMap = (values: tf.Tensor): tf.Tensor =>
    tf.tidy(() => {
      const score = (x: tf.Tensor): tf.Scalar => {
        const input = new Proxy(x, {
          get: () =>
            refuse(
              `expected layers after ${map.path} that need its map alone, but a way goes around it; choose another`,
            ),
        });
        const head = evaluator(model, input, new Map([[key, x]]))(end.base);
        const scores = finishOutput(end, head).values;
        return tf.sum(likeliest(tf.reshape(scores, [x.shape[0]!, -1])));
      };
      const gradients = tf.grad(score)(values);
      return tf.relu(tf.sum(tf.mul(values, tf.mean(gradients, [1, 2], true)), -1));
    });
  return { map, shape: [height, width], fromMap };
}

/** The score of each row's most likely class; one sigmoid's logit speaks for class 1, its negative for class 0. */
function likeliest(scores: tf.Tensor2D): tf.Tensor {
  const classes = scores.shape[1];
  if (classes === 1) return tf.abs(scores);
  return tf.mul(scores, tf.oneHot(tf.argMax(scores, 1), classes));
}

function mapOf(
  model: tfl.LayersModel,
  layer: string | undefined,
  sources: ReadonlySet<string>,
  refuse: (problem: string) => never,
): LayerPosition {
  try {
    return findMap("gradCam", model, layer, sources);
  } catch (error) {
    if (error instanceof OptionError) return refuse(error.message);
    throw error;
  }
}
