// TensorFlow.js as convkit uses it: one copy of tfjs-core and tfjs-layers for both.
export * from "@tensorflow/tfjs-core";
export * as layers from "@tensorflow/tfjs-layers";
