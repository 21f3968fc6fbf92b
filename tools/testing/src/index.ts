export { engines } from "./engines.ts";
export { isRunInSlowTests } from "./larger-networks.ts";
export { peerPython, runPeer } from "./peers.ts";
