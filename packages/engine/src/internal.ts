// Not for users: names that other packages of convkit need, which may change in any version.
export { releaseFreedMemory, withLargeBlocksMapped } from "./machine/c-memory.ts";
export { nativeVariable, setNativeVariable } from "./machine/native-environment.ts";
export { foreignFunctions, withOwnTypes } from "./machine/foreign-functions.ts";
export { threadsOf } from "./machine/threads.ts";
export type { ForeignFunction, ForeignLibrary } from "./machine/foreign-functions.ts";
