// Not for users: what differs between Node and a web page. Bundlers take `page.ts` in its place.
export { fileAt } from "../folders/file-at.ts";
export { decodeBytes, sizeOf } from "../images/decode-bytes.ts";
export { decodeInPool } from "../images/decode-pool.ts";
export { decodedStore } from "../images/decoded-cache.ts";
export { readSpan, readStart, readWhole } from "../images/read-files.ts";
export { inflate } from "../masks/inflate.ts";
export { availableParallelism } from "node:os";
