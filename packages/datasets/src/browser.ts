/**
 * What bundlers take in place of `index.ts` for web pages: the same names. A page has no paths of files, so what reads or writes
 * by them refuses with a DataError.
 */
import { DataError } from "./data-error.ts";

export * from "./everywhere.ts";

function refused(name: string): DataError {
  return new DataError(
    `${name} works with paths of files, which a web page has none of: give Files or addresses to loadData, or pixels to fromArrays or fromGenerator`,
  );
}

const refuse = (name: string) => async (): Promise<never> => {
  throw refused(name);
};

const refuseAtOnce = (name: string) => (): never => {
  throw refused(name);
};

export const dataCache = refuseAtOnce("dataCache");
export const readCifar = refuse("readCifar");
export const writeCifar = refuseAtOnce("writeCifar");
export const imagesIn = refuseAtOnce("imagesIn");
export const contactSheet = refuse("contactSheet");
export const csvImages = refuse("csvImages");
/** No data set can be fetched by name into a page. */
export const dataSets = {};
export const fetchData = refuse("fetchData");
export const verifyData = refuse("verifyData");
export { decodeImage } from "./images/decode.ts";
export { decodingFailure } from "./images/decoding-failure.ts";
export const download = refuse("download");
export const readIdx = refuse("readIdx");
export const packagesSeenFrom = refuseAtOnce("packagesSeenFrom");
export { imageFiles } from "./folders/image-files.ts";
export const imageFolder = refuse("imageFolder");
export { loadData } from "./load-in-page.ts";
export const subset = refuse("subset");
export const writeImageFolder = refuse("writeImageFolder");
export const isShardPattern = refuseAtOnce("isShardPattern");
export const imageShards = refuse("imageShards");
export const shardSamples = refuseAtOnce("shardSamples");
export const writeShards = refuse("writeShards");
export const auditImages = refuse("auditImages");
export const maskFolder = refuse("maskFolder");
