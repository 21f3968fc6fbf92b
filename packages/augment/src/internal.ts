export { philox, uniformStream } from "./random/philox.ts";
export type { Words4 } from "./random/philox.ts";
