import type { LayersModel } from "@tensorflow/tfjs-layers";

/** What is opened: a layers model, the path of a model (in a web page an address), or the bytes of a file. */
export type OpenableSource = LayersModel | string | Uint8Array;

/**
 * What predictions are made with: a layers model, the path of a model (in a web page an address), or the bytes of an ONNX file, also as a
 * `Blob` or `File`. In a web page bytes may be those of any file that `loadModel` of @convkit/weights reads.
 */
export type PredictorSource = OpenableSource | Blob;

/** True for a path, bytes and a Blob: what must be opened before anything is known of it. */
export function isModelFile(source: unknown): source is string | Uint8Array | Blob {
  return typeof source === "string" || source instanceof Uint8Array || source instanceof Blob;
}

/** The source with the bytes of a Blob in its place. */
export async function openable(source: PredictorSource): Promise<OpenableSource> {
  return source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : source;
}
