import type { Architecture } from "@convkit/core";
import { zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";

/** Deeper or wider networks, which the code of a smaller one in the zoo builds with other numbers. */
const larger: readonly ModelName[] = [
  "resnet32-cifar10",
  "resnet44-cifar10",
  "resnet56-cifar10",
  "resnet110-cifar10",
  "vgg16",
  "vgg19",
  "vgg13",
  "vgg19-bn",
  "resnet101",
  "resnet152",
  "resnet101v2",
  "resnet152v2",
  "densenet169",
  "densenet201",
  "efficientnet-b1",
  "resnet34",
  "resnet101-tv",
  "resnet152-tv",
];

/**
 * The networks that slow tests run: one of each builder; `CONVKIT_SUITES=1` runs all. Parameters, multiply-adds, names and shapes of
 * all networks, and the logits of those that have a peer, are compared in every run.
 */
export const networks = Object.values<Architecture>(zoo).filter(
  ({ name }) => process.env["CONVKIT_SUITES"] === "1" || !larger.includes(name as ModelName),
);
