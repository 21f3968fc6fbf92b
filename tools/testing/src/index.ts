export { engines } from "./engines.ts";
export { isComputedInTests, isRunInSlowTests } from "./larger-networks.ts";
export { peerPython, runPeer } from "./peers.ts";
