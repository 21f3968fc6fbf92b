import type { layers } from "@tensorflow/tfjs-layers";
import {
  AveragePooling2D,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  MaxPooling2D,
} from "@tensorflow/tfjs-layers/dist/layers/pooling.js";

export const averagePooling2d: typeof layers.averagePooling2d = (args) => new AveragePooling2D(args);
export const globalAveragePooling2d: typeof layers.globalAveragePooling2d = (args) => new GlobalAveragePooling2D(args);
export const globalMaxPooling2d: typeof layers.globalMaxPooling2d = (args) => new GlobalMaxPooling2D(args);
export const maxPooling2d: typeof layers.maxPooling2d = (args) => new MaxPooling2D(args);
