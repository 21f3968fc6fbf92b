// Not for users: names that other packages of convkit and their tests need, which may change in any version.
export { buildOptions } from "./model/architecture.ts";
export { snakeCase } from "./block/snake-case.ts";
export { drawValues } from "./init/initializers.ts";
export { hashText, normalValues, truncatedNormalValues, uniformValues } from "./init/random.ts";
export { groupedConv2d, probeGroups } from "./layers/convolution/grouped-kernel.ts";
export type { GroupedOptions } from "./layers/convolution/grouped-kernel.ts";
export { batchNormTraining, composedBatchNorm } from "./layers/normalization/batch-norm-kernel.ts";
export type { OnMoments } from "./layers/normalization/batch-norm-kernel.ts";
export { composedLocalResponseNorm } from "./layers/normalization/local-response-norm.ts";
export { randomStreams, seedRandomStreams } from "./model/random-streams.ts";
export { checkFlags, checkFunctions, checkModel, checkNumber, checkWhole } from "./layers/check-values.ts";
export { checkEngine } from "./tfjs/engine-in-use.ts";
export { nestedModel, shapedNodes } from "./inspect/nested-nodes.ts";
export type { Shape, ShapedNode } from "./inspect/nested-nodes.ts";
export { padsOf } from "./arithmetic/padding.ts";
