import type { Batch } from "@convkit/datasets";

/** A batch with other images in place of its own, and everything else that it has; their memory stays with the batch. */
export function withImages(batch: Batch, images: Uint8Array, shape: Batch["shape"]): Batch {
  const { release: _, ...rest } = batch;
  return { ...rest, images, shape };
}
