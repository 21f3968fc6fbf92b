import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { join } from "node:path";
import { writeFileAtomic } from "@convkit/files";
import { isOwnLayer } from "../../layers/register.ts";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { ownModule } from "../keras/config.ts";
import { writeShards } from "./shards.ts";
import type { Quantization } from "./shards.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";

/**
 * Writes `model.json` and its shards into a folder; quantized weights become float16, or 8- or 16-bit integers with a
 * scale and a minimum.
 */
export async function writeTfjs(
  folder: string,
  model: tfl.LayersModel,
  { quantize, metadata = {} }: { readonly quantize?: Quantization | undefined; readonly metadata?: ModelMetadata } = {},
): Promise<void> {
  const tensors = model.weights.map((variable) => variableTensor(variable.originalName, variable));
  const group = await writeShards(folder, tensors, quantize);
  const own = metadataText(metadata) === undefined ? {} : { [metadataKey]: metadata };
  const told = { ...model.getUserDefinedMetadata(), ...own };
  const document = {
    format: "layers-model",
    generatedBy: "convkit",
    convertedBy: null,
    modelTopology: topologyOf(model),
    weightsManifest: [group],
    ...(Object.keys(told).length === 0 ? {} : { userDefinedMetadata: told }),
  };
  await writeFileAtomic(join(folder, "model.json"), JSON.stringify(document));
}

/** tfjs' topology, with a mark on layers of our own classes, since a user's class may have the same name. */
function topologyOf(model: tfl.LayersModel): object {
  const topology = JSON.parse(JSON.stringify(model.toJSON(null, false))) as { config: Topology };
  mark(model, topology.config);
  return topology;
}

interface Topology {
  readonly layers?: {
    readonly name?: string;
    readonly config: Topology & { readonly name?: string };
    module?: string;
  }[];
}

function mark(model: tfl.LayersModel, { layers = [] }: Topology): void {
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
  for (const row of layers) {
    const layer = byName.get(row.config.name ?? row.name ?? "");
    if (layer === undefined) continue;
    if ("layers" in layer) mark(layer as tfl.LayersModel, row.config);
    else if (isOwnLayer(layer)) row.module = ownModule;
  }
}
