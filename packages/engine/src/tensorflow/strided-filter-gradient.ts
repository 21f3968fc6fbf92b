import * as tf from "@tensorflow/tfjs-core";

import { refineKernel } from "./refine-kernel.ts";

/**
 * Computes the filter gradient of a strided 1x1 convolution at stride 1, over the pixels it reads. The result is the
 * same, but TensorFlow 2.21 with oneDNN writes past its memory in the strided op (a first 1x1 / 2 layer on 3 channels,
 * 3 images of 12x12: the process dies).
 */
export function mendStridedFilterGradient(): void {
  refineKernel("Conv2DBackpropFilter", (stock) => (parameters) => {
    const { inputs, attrs } = parameters;
    const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
    const { filterShape, strides, dataFormat } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
    const steps = [strides].flat() as [number, number?];
    const isPoint = filterShape[0] === 1 && filterShape[1] === 1 && dataFormat === "NHWC";
    if (!isPoint || steps.every((step) => step === 1)) return stock(parameters);
    return tf.tidy(() => {
      // A pool of single pixels uses all cores; a strided slice uses one.
      const seen = tf.avgPool(x, 1, [steps[0], steps[1] ?? steps[0]], "valid");
      return stock({
        ...parameters,
        inputs: { x: seen, dy },
        attrs: { ...attrs, strides: [1, 1], pad: "valid" },
      }) as tf.Tensor;
    });
  });
}
