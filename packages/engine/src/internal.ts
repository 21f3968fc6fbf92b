// Not for users: names that other packages of convkit need, which may change in any version.
export { foreignFunctions, releaseFreedMemory } from "./machine/foreign-functions.ts";
export type { ForeignFunction } from "./machine/foreign-functions.ts";
export { threadsOf } from "./machine/threads.ts";
