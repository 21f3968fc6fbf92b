import type { Accuracy, Architecture, Source } from "@convkit/core";

/** An architecture of the zoo with the source of its definition. */
export type Network = Architecture & { readonly source: Source };

const kerasPage = "https://keras.io/api/applications/";
const timmPage = "https://huggingface.co/timm";
const torchPage = "https://docs.pytorch.org/vision/stable/models.html";

/** The numbers of a variant that tests check: weights, trainable weights and multiply-adds at the stated input. */
export type Counts = Pick<Architecture, "params" | "trainable" | "macs">;

/** Weights, trainable weights, multiply-adds. */
export function counts(params: number, trainable: number, macs: number): Counts {
  return { params, trainable, macs };
}

/**
 * A network of keras.applications: its weights, and Keras' published accuracy on ImageNet's validation images, one
 * crop.
 */
export function fromKeras(top1: number, top5: number, license: string) {
  return {
    source: "keras",
    accuracy: { top1, top5, source: kerasPage },
    weights: { source: kerasPage, license },
  } as const;
}

/** A network of torchvision: its weights, and torchvision's published accuracy (IMAGENET1K_V1). */
export function fromTorchvision(top1: number, top5: number) {
  return {
    source: "torchvision",
    accuracy: { top1, top5, source: torchPage },
    weights: { source: torchPage, license: "BSD-3-Clause" },
  } as const;
}

/** A network of timm (PyTorch Image Models) and its weights; each of its files states an accuracy of its own. */
export function fromTimm() {
  return { source: "timm", weights: { source: timmPage, license: "Apache-2.0" } } as const;
}

/** A network as defined in its paper, with the accuracy that `page` states. */
export function fromPaper(page: string, top1: number, top5?: number): { source: "paper"; accuracy: Accuracy } {
  return { source: "paper", accuracy: { top1, ...(top5 === undefined ? {} : { top5 }), source: page } };
}
