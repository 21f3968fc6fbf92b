/**
 * What bundlers take in place of `index.ts` for web pages: the same names. A page has no folders, so what reads or writes files refuses
 * with a DataError.
 */
import { DataError } from "./data-error.ts";

export * from "./everywhere.ts";

function refused(name: string): DataError {
  return new DataError(
    `${name} works with files, which a web page has none of: read the images in the page and give them to fromArrays or fromGenerator`,
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
export { decodeImage } from "./images/page/decode.ts";
export { decodingFailure } from "./images/decoding-failure.ts";
export const download = refuse("download");
export const readIdx = refuse("readIdx");
export const packagesSeenFrom = refuseAtOnce("packagesSeenFrom");
export const imageFiles = refuse("imageFiles");
export const imageFolder = refuse("imageFolder");
export const loadData = refuse("loadData");
export const subset = refuse("subset");
export const writeImageFolder = refuse("writeImageFolder");
export const isShardPattern = refuseAtOnce("isShardPattern");
export const imageShards = refuse("imageShards");
export const shardSamples = refuseAtOnce("shardSamples");
export const writeShards = refuse("writeShards");
export const auditImages = refuse("auditImages");
export const maskFolder = refuse("maskFolder");
