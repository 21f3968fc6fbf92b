// Trained models over HTTP.
export * from "@convkit/serve";
