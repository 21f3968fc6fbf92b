// Functions as TensorFlow graphs.
export * from "@convkit/graph";
