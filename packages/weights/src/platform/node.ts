// Not for users: what differs between Node and a web page. Bundlers take `page.ts` in its place.
export { findPath, folderNames, openFile } from "./disk.ts";
export { disk } from "./disk-destination.ts";
export { inflate, inflateRaw } from "./inflate.ts";
export { writeSavedModel } from "./saved-model.ts";
