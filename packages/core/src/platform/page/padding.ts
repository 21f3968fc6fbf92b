import type { layers } from "@tensorflow/tfjs-layers";
import { ZeroPadding2D } from "@tensorflow/tfjs-layers/dist/layers/padding.js";

export const zeroPadding2d: typeof layers.zeroPadding2d = (args) => new ZeroPadding2D(args);
