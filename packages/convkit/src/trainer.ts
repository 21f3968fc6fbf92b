// Training and evaluation.
export * from "@convkit/trainer";
