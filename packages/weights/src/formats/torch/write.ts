import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { ByteSink } from "@convkit/files";
import { computedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { writeSafetensors } from "../safetensors.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import { batchCounters, refuseProblems, torchWeights } from "./weights.ts";

/**
 * A model's weights as safetensors with PyTorch's names and order of axes. Includes the batch counters, so that
 * `strict=True` accepts it.
 */
export function writeTorchSafetensors(
  sink: ByteSink,
  model: tfl.LayersModel,
  { file, metadata }: { readonly file: string; readonly metadata: ModelMetadata },
): void {
  refuseProblems(file, model);
  const weights = torchWeights(model).map(({ torchName, variable, torchShape, toTorch }): NamedTensor => {
    const tensor = variableTensor(torchName, variable);
    return computedTensor({ ...tensor, shape: torchShape, read: () => toTorch(tensor.read()) });
  });
  const counters = batchCounters(model).map((name): NamedTensor => ({
    name,
    shape: [],
    dtype: "int64",
    place: name,
    read: () => new Int32Array(1),
    readBytes: () => new Uint8Array(8),
  }));
  const text = metadataText(metadata);
  const own = text === undefined ? {} : { [metadataKey]: text };
  writeSafetensors(sink, [...weights, ...counters], { format: "pt", ...own });
}
