// Predictions of trained models.
export * from "@convkit/predict";
