// Model files in and out.
export * from "@convkit/weights";
