// Data sets, image folders, decoding, splits.
export * from "@convkit/datasets";
