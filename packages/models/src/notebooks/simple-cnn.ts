import { chain, classActivation, conv, dense, flatten, maxPool, unitPixels } from "@convkit/core";
import { dropped } from "../shared/heads.ts";
import type { Network } from "../shared/sources.ts";

/** One convolution and a classifier: the first network of a course. */
export const simpleCnn: Network = {
  name: "simple-cnn",
  source: "notebook",
  paper: "Keras guide, The Sequential model, https://keras.io/guides/sequential_model/",
  input: [28, 28, 3],
  smallest: 6,
  classes: 10,
  params: 48_522,
  trainable: 48_522,
  macs: 1_428_480,
  preprocessing: unitPixels,
  body: chain({
    conv1: conv(32, 5, { padding: "valid" }), //      24 x 24 x 32
    pool1: maxPool(2, 2, { padding: "valid" }), //    12 x 12 x 32
  }),
  head: (options) =>
    chain({
      flatten: flatten(), //                          4608
      ...dropped("dropout", options.dropout),
      predictions: dense(options.classes, { activation: classActivation(options) }),
    }),
};
