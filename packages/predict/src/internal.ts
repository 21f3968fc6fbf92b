/** For packages of convkit only: may change in any version. */
export { refusedRuntimes } from "./refused-runtimes.ts";
export { classNames, endsInLogits } from "./prediction.ts";
