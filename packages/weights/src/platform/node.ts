// Not for users: what differs between Node and a web page. Bundlers take `page.ts` in its place.
import type { writeSavedModel as write } from "./saved-model.ts";

export { findPath, folderNames, openFile } from "./disk.ts";
export { disk } from "./disk-destination.ts";
export { inflate, inflateRaw } from "./inflate.ts";

/** `writeSavedModel` of `saved-model.ts`, which is loaded when it is called: who only reads a file needs no TensorFlow. */
export const writeSavedModel: typeof write = async (...args) =>
  (await import("./saved-model.ts")).writeSavedModel(...args);
