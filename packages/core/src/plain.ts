/** What needs no tfjs, for programs that must start fast; for packages of convkit, may change in any version. */
export { endsInLogits } from "./inspect/output-end.ts";
export { metadataFromJson, modelMetadata } from "./metadata/metadata.ts";
export type { ImageFit, ModelMetadata } from "./metadata/metadata.ts";
export { preprocessValues, valuesPreprocessor } from "./metadata/preprocess-values.ts";
export type { Preprocessing } from "./metadata/preprocessing-steps.ts";
export { checkModel } from "./model/check-model.ts";
