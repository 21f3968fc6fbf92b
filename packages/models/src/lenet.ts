import { chain, classActivation, conv, dense, flatten, maxPool, unitPixels } from "@convkit/core";
import { dropped } from "./shared/heads.ts";
import type { Network } from "./shared/sources.ts";

const relu = { activation: "relu" } as const;

export const lenet5: Network = {
  name: "lenet5",
  source: "notebook",
  paper:
    "LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning Applied to Document Recognition, https://doi.org/10.1109/5.726791",
  input: [28, 28, 1],
  smallest: 12,
  classes: 10,
  params: 61_706,
  trainable: 61_706,
  macs: 416_520,
  preprocessing: unitPixels,
  body: chain({
    conv1: conv(6, 5, { padding: "same", ...relu }), //     28 x 28 x 6
    pool1: maxPool(2, 2, { padding: "valid" }), //          14 x 14 x 6
    conv2: conv(16, 5, { padding: "valid", ...relu }), //   10 x 10 x 16
    pool2: maxPool(2, 2, { padding: "valid" }), //           5 x 5 x 16
  }),
  head: (options) =>
    chain({
      flatten: flatten(), //                                400
      fc1: dense(120, relu),
      fc2: dense(84, relu),
      ...dropped("dropout", options.dropout),
      fc3: dense(options.classes, { activation: classActivation(options) }),
    }),
  differs:
    "ReLU, maximum pooling and a softmax, as is usual today, for the paper's tanh, trainable means and Gaussian units",
};
