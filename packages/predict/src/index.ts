export { classifier, classify } from "./classify.ts";
export type { Classifier, ClassifierOptions, ClassifyOptions, TopOptions } from "./classify.ts";
export type { ImageSource } from "./image-pixels.ts";
export { imagenetClasses } from "./imagenet-classes.ts";
export { decodePredictions } from "./prediction.ts";
export type { PredictionOptions, Prediction } from "./prediction.ts";
export { predictor } from "./predictor.ts";
export type { Predictor, PredictorOptions } from "./predictor.ts";
export { topClasses } from "./top-classes.ts";
