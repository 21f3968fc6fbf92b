import type { ModelMetadata } from "@convkit/core";
import type { ByteSource } from "../../../bytes/byte-source.ts";
import { computedTensor } from "../../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../../bytes/named-tensor.ts";
import { metadataFromText, metadataKey } from "../../../model/metadata-json.ts";
import { readOnnx } from "./file.ts";

/** The tensors that an ONNX file holds by name, and what this package wrote beside them. */
export function onnxWeights(source: ByteSource): {
  tensors: NamedTensor[];
  metadata: Readonly<Record<string, string>>;
  modelMetadata: ModelMetadata;
  close(): void;
} {
  const { constants, metadata, file, close } = readOnnx(source);
  const tensors = [...constants.values()].map(({ name, shape, type, read }) =>
    computedTensor({
      name,
      shape,
      dtype: type === "float" ? "float32" : "int32",
      place: `initializer "${name}"`,
      read: () => (type === "float" ? Float32Array.from(read()) : Int32Array.from(read())),
    }),
  );
  const modelMetadata = metadataFromText(file, `metadata_props ${metadataKey}`, metadata[metadataKey]);
  return { tensors, metadata, modelMetadata, close };
}
