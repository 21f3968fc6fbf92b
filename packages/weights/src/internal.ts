// Not for users: names that other packages of convkit need, which may change in any version.
export { loadOrName } from "./load/fitting-networks.ts";
export type { Candidate } from "./load/fitting-networks.ts";
export { withInputChannels } from "./model/input-channels.ts";
