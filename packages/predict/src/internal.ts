/** For packages of convkit only: may change in any version. */
export { classNames } from "./prediction.ts";
