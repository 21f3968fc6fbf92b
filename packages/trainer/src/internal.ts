/** For packages of convkit only: may change in any version. */
export { foldFolder, tellRareClasses } from "./cross-validation/cross-validate.ts";
export { foldStatistics } from "./cross-validation/fold-statistics.ts";
export { Exchange } from "./workers/exchange.ts";
export { weightsOfCounts } from "./objective/class-weights.ts";
export { progressBar } from "@convkit/trainer/platform";
export { stretchToBytes } from "./tensorboard/stretch.ts";
export {
  listOf,
  numberOrNull,
  record,
  shaped,
  type StoredShape,
  storedProblems,
  text,
  throwStored,
} from "./checks/stored.ts";
export { checkSpace } from "./search/search-space.ts";
