// The published blocks: inception, residual, separable and others.
export * from "@convkit/blocks";
