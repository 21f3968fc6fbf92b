/** For packages of convkit only: may change in any version. */
export { openablePredictor } from "./predictor.ts";
export type { OpenedModel } from "./sources/opened-model.ts";
export { isPredictOnly } from "./sources/predict-only.ts";
export { refusedRuntimes } from "./refused-runtimes.ts";
export { endsInLogits } from "@convkit/core/plain";
export { classNames } from "./prediction.ts";
