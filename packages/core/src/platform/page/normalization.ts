import type { layers } from "@tensorflow/tfjs-layers";
import { BatchNormalization, LayerNormalization } from "@tensorflow/tfjs-layers/dist/layers/normalization.js";

export const batchNormalization: typeof layers.batchNormalization = (args) => new BatchNormalization(args);
export const layerNormalization: typeof layers.layerNormalization = (args) => new LayerNormalization(args);
