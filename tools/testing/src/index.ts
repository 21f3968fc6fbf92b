export { engines } from "./engines.ts";
export { peerPython, runPeer } from "./peers.ts";
