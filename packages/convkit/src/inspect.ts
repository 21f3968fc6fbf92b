// What a network sees and costs.
export * from "@convkit/inspect";
