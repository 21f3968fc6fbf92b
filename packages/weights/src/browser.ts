/**
 * What bundlers take in place of `index.ts` for web pages: the same names. A page has no files by path, so what works with two of them, or
 * needs another program, refuses with a WeightsError.
 */
import { WeightsError } from "./weights-error.ts";

export * from "./everywhere.ts";
export { containerOf } from "./save/container.ts";

const refuse = (name: string, instead: string) => async (): Promise<never> => {
  throw new WeightsError(name, "", `works with files of the disk, which a web page has none of: ${instead}`);
};

export const convert = refuse("convert", "load with loadModel, and write with modelFiles or saveModel");
export const convertWeights = refuse("convertWeights", "read with openWeights");
export const writeWeights = refuse("writeWeights", "write a model with modelFiles or saveModel");
export const saveNpy = refuse("saveNpy", "give the numbers to the user in another way");
export const verifySaved = refuse("verifySaved", "load what was written with loadModel, and compare it with parity");
export const readyToVerify = refuse(
  "readyToVerify",
  "load what was written with loadModel, and compare it with parity",
);
export const fetchWeights = refuse("fetchWeights", "give the address to loadWeights");
export const fetchImagenetWeights = refuse(
  "fetchImagenetWeights",
  "give the url of findImagenetWeights to loadWeights",
);
export const savedModelMetadata = (): never => {
  throw new WeightsError("savedModelMetadata", "", "reads a folder of the disk, which a web page has none of");
};
