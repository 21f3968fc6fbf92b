// Layers, blocks, networks, convolution arithmetic, summaries.
export * from "@convkit/core";
