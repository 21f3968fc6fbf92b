import type { layers } from "@tensorflow/tfjs-layers";
import { DepthwiseConv2D } from "@tensorflow/tfjs-layers/dist/layers/convolutional_depthwise.js";

export const depthwiseConv2d: typeof layers.depthwiseConv2d = (args) => new DepthwiseConv2D(args);
