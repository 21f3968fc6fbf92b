// Not for users: names that other packages of convkit need, which may change in any version.
export { halfSidedPads } from "./inverted-residual.ts";
export { dotted, steps } from "./naming.ts";
