// Random changes of images, and Keras' random layers.
export * from "@convkit/augment";
