export { predictor } from "./predictor.ts";
export type { Predictor, PredictorOptions } from "./predictor.ts";
export { topClasses } from "./top-classes.ts";
