import { signal } from "@preact/signals";
import type { Augmentation, NetworkName } from "../compute/compute.ts";

/** What the reader chose for the training. */
export const network = signal<NetworkName>("mobilenet-v2");
/** A file of MobileNetV2's weights; by default the one beside the page. */
export const weights = signal<File | undefined>(undefined);
export const epochs = signal(20);
export const learningRate = signal(0.001);
export const augmentation = signal<Augmentation>({
  flip: true,
  rotation: 0.03,
  zoom: 0.1,
  brightness: 0.1,
  contrast: 0.1,
});
