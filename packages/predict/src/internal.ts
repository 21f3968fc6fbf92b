/** For packages of convkit only: may change in any version. */
export { refusedRuntimes } from "./refused-runtimes.ts";
export { endsInLogits } from "@convkit/core/plain";
export { classNames } from "./prediction.ts";
