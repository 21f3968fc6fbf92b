// The arithmetic of @convkit/core that the pages compute with, from its files: the package's entry brings TensorFlow.js along.
// The build takes this file for `@convkit/core` and `@convkit/core/internal`, too, where @convkit/inspect's drawing asks for them.
export { outputSize } from "../../packages/core/src/arithmetic/output-size.ts";
export { padsOf } from "../../packages/core/src/arithmetic/padding.ts";
export { effectiveReceptiveField } from "../../packages/core/src/inspect/effective-receptive-field.ts";
export { checkWhole } from "../../packages/core/src/layers/check-values.ts";
