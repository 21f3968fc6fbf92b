import type { layers } from "@tensorflow/tfjs-layers";
import { Add, Concatenate, Multiply } from "@tensorflow/tfjs-layers/dist/layers/merge.js";

export const add: typeof layers.add = (args) => new Add(args);
export const concatenate: typeof layers.concatenate = (args) => new Concatenate(args);
export const multiply: typeof layers.multiply = (args) => new Multiply(args);
