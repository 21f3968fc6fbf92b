/** What needs no tfjs, for programs that must start fast; for packages of convkit, may change in any version. */
export { preprocessValues } from "./metadata/preprocess-values.ts";
