// Not for users: names that other packages of convkit need, which may change in any version.
export { foreignFunctions, releaseFreedMemory, withOwnTypes } from "./machine/foreign-functions.ts";
export { threadsOf } from "./machine/threads.ts";
export type { ForeignFunction, ForeignLibrary } from "./machine/foreign-functions.ts";
