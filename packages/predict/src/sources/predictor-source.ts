import type { LayersModel } from "@tensorflow/tfjs-layers";

/**
 * What predictions are made with: a layers model, the path of a model (in a web page an address), or the bytes of an ONNX file. In a web
 * page bytes may be those of any file that `loadModel` of @convkit/weights reads.
 */
export type PredictorSource = LayersModel | string | Uint8Array;
