import type { layers } from "@tensorflow/tfjs-layers";
import { Rescaling } from "@tensorflow/tfjs-layers/dist/layers/preprocessing/image_preprocessing.js";

export const rescaling: typeof layers.rescaling = (args) => new Rescaling(args!);
