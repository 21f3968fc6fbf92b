import type { layers } from "@tensorflow/tfjs-layers";
import { Activation, Dense, Dropout, Flatten, Reshape } from "@tensorflow/tfjs-layers/dist/layers/core.js";

export const activation: typeof layers.activation = (args) => new Activation(args);
export const dense: typeof layers.dense = (args) => new Dense(args);
export const dropout: typeof layers.dropout = (args) => new Dropout(args);
export const flatten: typeof layers.flatten = (args) => new Flatten(args);
export const reshape: typeof layers.reshape = (args) => new Reshape(args);
