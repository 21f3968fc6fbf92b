import type { Preprocessing } from "@convkit/core";
import { endOf } from "@convkit/core/internal";
import type { PredictorOptions } from "@convkit/predict";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { ModelOutput } from "../objective/model-outputs.ts";
import { outputLoss, probabilities } from "../objective/objective.ts";
import type { OutputTask } from "../objective/output-tasks.ts";

/** A runtime that evaluates a copy of the model. */
export type EvaluationRuntime = "auto" | "openvino" | "onnxruntime";

/** What a batch is judged by: its mean loss and `[n, outputs]` probabilities. */
export interface JudgedOutputs {
  readonly loss: number;
  readonly probabilities: Float32Array;
}

/** Computes batches until it is disposed of. */
export interface Forward {
  run(images: Images, labels: Int32Array): Promise<JudgedOutputs>;
  /** What computes; undefined before the first batch, and on the engine in use. */
  runtime(): string | undefined;
  dispose(): Promise<void>;
}

interface Images {
  readonly data: Uint8Array | Float32Array;
  readonly shape: readonly number[];
}

/**
 * The forward pass of a copy of the model in OpenVINO or ONNX Runtime. A softmax or sigmoid at the model's end stays, so the loss comes
 * from probabilities, which are cut at 1e-7 as in Keras.
 */
export async function runtimeForward(
  model: LayersModel,
  {
    runtime,
    preprocessing,
    task,
    mirror,
  }: { runtime: EvaluationRuntime; preprocessing: Preprocessing; task: OutputTask; mirror: boolean },
): Promise<Forward> {
  const { predictor } = await import("@convkit/predict");
  const options: PredictorOptions = { runtime, preprocessing };
  const forward = predictor(model, options);
  const areLogits = endOf(model.outputs[0]!).kind === "logits";
  return {
    async run(images, labels) {
      const both = await Promise.all(
        (mirror ? [images, mirrored(images)] : [images]).map((each) => forward.predict(each)),
      );
      const [{ shape }] = both as [(typeof both)[0]];
      return tf.tidy(() => {
        const own = both.map(({ data }) => ({ values: tf.tensor2d(data, [shape[0]!, shape[1] ?? 1]), areLogits }));
        const output: ModelOutput =
          own.length === 1
            ? own[0]!
            : { values: tf.div(tf.addN(own.map(probabilities)), own.length) as tf.Tensor2D, areLogits: false };
        const mean = outputLoss(task, tf.tensor1d(labels, "int32"), output);
        return { loss: mean.dataSync()[0]!, probabilities: probabilities(output).dataSync<"float32">().slice() };
      });
    },
    runtime: () => forward.describe()?.runtime,
    dispose: () => forward.dispose(),
  };
}

/** Reverses every row of pixels. `[n, h, w, c] -> [n, h, w, c]` */
function mirrored({ data, shape }: Images): Images {
  const [, , width = 1, channels = 1] = shape;
  const flipped = data.slice();
  for (let row = 0; row < data.length; row += width * channels)
    for (let x = 0; x < width; x += 1) {
      const from = row + x * channels;
      flipped.set(data.subarray(from, from + channels), row + (width - 1 - x) * channels);
    }
  return { data: flipped, shape };
}
