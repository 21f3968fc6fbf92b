import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { utf8Text } from "../bytes/encoding.ts";
import type { FileFolder } from "../bytes/byte-source.ts";
import { distinctNames, layerNames } from "../model/model-layers.ts";
import { metadataFromText } from "../model/metadata-json.ts";

/** The metadata file in a SavedModel. TensorFlow ignores this folder. */
export const metadataFile = "assets.extra/convkit.json";

/**
 * What `saveModel` wrote beside a SavedModel; `{}` if another program wrote the model. Throws a `WeightsError` for
 * invalid metadata.
 */
export function metadataBeside(folder: FileFolder): ModelMetadata {
  if (!folder.has(metadataFile)) return {};
  const source = folder.open(metadataFile);
  try {
    return metadataFromText(source.file, "", utf8Text(source.read(0, source.size)));
  } finally {
    source.close();
  }
}

/** The tensors' names in the signature. Python uses them as argument names, so they must be unique identifiers. */
export function signatureNames(tensors: readonly tfl.SymbolicTensor[]): string[] {
  return distinctNames(layerNames(tensors).map((name) => name.replaceAll(/\W/g, "_")));
}
