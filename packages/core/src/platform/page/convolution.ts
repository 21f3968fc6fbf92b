import type { layers } from "@tensorflow/tfjs-layers";
import { Conv2D, Cropping2D, SeparableConv2D } from "@tensorflow/tfjs-layers/dist/layers/convolutional.js";

export const conv2d: typeof layers.conv2d = (args) => new Conv2D(args);
export const cropping2D: typeof layers.cropping2D = (args) => new Cropping2D(args);
export const separableConv2d: typeof layers.separableConv2d = (args) => new SeparableConv2D(args);
