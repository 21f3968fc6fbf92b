/**
 * What bundlers take in place of `index.ts` for web pages: the same names. A page has no paths of files, so what reads or writes
 * by them refuses with a DataError.
 */
import { DataError } from "./data-error.ts";
import type { DataSetName, dataSets as inNode } from "./published/registry.ts";

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
const namedSets: Readonly<Record<DataSetName, true>> = {
  mnist: true,
  "fashion-mnist": true,
  cifar10: true,
  cifar100: true,
  "cats-vs-dogs-32": true,
  "multi-mnist": true,
  "mnist-count": true,
  "mnist-masks": true,
};
/** No data set can be fetched by name into a page: there are none in a list, and taking one by its name throws a DataError. */
export const dataSets = Object.defineProperties(
  {},
  Object.fromEntries(
    Object.keys(namedSets).map((name) => [name, { get: refuseAtOnce(`dataSets[${JSON.stringify(name)}]`) }]),
  ),
) as typeof inNode;
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
