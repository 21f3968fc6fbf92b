// The zoo; `createModel` also loads trained weights.
export * from "@convkit/models";
export { createModel } from "./create-model.ts";
export type { CreateOptions } from "./create-model.ts";
