/** For packages of convkit only: may change in any version. */
export { stretchToBytes } from "./tensorboard/stretch.ts";
