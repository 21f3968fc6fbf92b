import type { Published } from "@convkit/core";

const kerasPage = "https://keras.io/api/applications/";
const torchPage = "https://docs.pytorch.org/vision/stable/models.html";

/** Accuracy on ImageNet's validation images as Keras publishes it, one crop, and where those weights are. */
export function kerasWeights(top1: number, top5: number, licence: string): Trained {
  return { published: { top1, top5, source: kerasPage }, weights: { source: kerasPage, licence } };
}

/** Accuracy on ImageNet's validation images as torchvision publishes it (IMAGENET1K_V1), and where those weights are. */
export function torchWeights(top1: number, top5: number): Trained {
  return { published: { top1, top5, source: torchPage }, weights: { source: torchPage, licence: "BSD-3-Clause" } };
}

/** Accuracy that a paper states, without weights of its own. */
export function publishedIn(source: string, top1: number, top5?: number): { published: Published } {
  return { published: { top1, source, ...(top5 === undefined ? {} : { top5 }) } };
}

interface Trained {
  published: Published;
  weights: { source: string; licence: string };
}
