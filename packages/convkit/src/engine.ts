// The TensorFlow that runs: find, install, load.
export * from "@convkit/engine";
