import type { layers } from "@tensorflow/tfjs-layers";
import { ReLU } from "@tensorflow/tfjs-layers/dist/layers/advanced_activations.js";

export const reLU: typeof layers.reLU = (args) => new ReLU(args);
