import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import { endsMask, hasKeras3Masks, hasOwnMasks, keras3Masks } from "../../layers/masks.ts";
import { isOwnLayer } from "../../layers/register.ts";
import type { FolderToFill } from "../../save/destination.ts";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { topologyJson } from "../../model/topology-json.ts";
import { WeightsError } from "../../weights-error.ts";
import { ownModule } from "../keras/config.ts";
import { writeShards } from "./shards.ts";
import type { Quantization } from "./shards.ts";
import { shapesOf } from "./stock/held-layer.ts";
import { stockModel } from "./stock/stock-model.ts";
import type { FileLayer } from "./stock/stock-model.ts";

interface TfjsWriting {
  /** The path for messages. */
  readonly file: string;
  readonly quantize?: Quantization | undefined;
  readonly metadata?: ModelMetadata | undefined;
  /** Writes layers of stock tfjs in place of our own. */
  readonly stock?: boolean | undefined;
}

/**
 * Writes `model.json` and its shards into a folder; quantized weights become float16, or 8- or 16-bit integers with a
 * scale and a minimum. Returns the number of tensors.
 */
export async function writeTfjs(
  folder: FolderToFill,
  model: tfl.LayersModel,
  { file, quantize, metadata = {}, stock = false }: TfjsWriting,
): Promise<number> {
  const own = {
    topology: topologyOf(model),
    tensors: model.weights.map((each) => variableTensor(each.originalName, each)),
  };
  const { topology, tensors } = stock ? inStockLayers(file, model, own.topology) : own;
  const group = await writeShards(folder, tensors, quantize);
  const about = metadataText(metadata) === undefined ? {} : { [metadataKey]: metadata };
  const told = { ...model.getUserDefinedMetadata(), ...about };
  const document = {
    format: "layers-model",
    generatedBy: "convkit",
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [group],
    ...(Object.keys(told).length === 0 ? {} : { userDefinedMetadata: told }),
  };
  await folder.write("model.json", JSON.stringify(document));
  return tensors.length;
}

function inStockLayers(file: string, model: tfl.LayersModel, topology: FileLayer): ReturnType<typeof stockModel> {
  const made = stockModel(model, topology);
  if (made.refused.length === 0) return made;
  throw new WeightsError(
    file,
    "",
    `stock tfjs cannot compute ${made.refused.join("; ")}. Write a graph model ("tfjs-graph"), which it runs, or write without stock layers`,
  );
}

/**
 * tfjs' topology, with a mark on layers of our own classes, since a user's class may have the same name, and what becomes of
 * masks.
 */
function topologyOf(model: tfl.LayersModel): FileLayer {
  const topology = topologyJson(model) as FileLayer & { config: Topology };
  complete(model, topology.config);
  return { ...topology, ...(hasKeras3Masks(model) ? { mask_rules: keras3Masks } : {}) };
}

interface Topology {
  readonly layers?: {
    readonly name?: string;
    readonly config: Topology & { readonly name?: string; target_shape?: unknown };
    module?: string;
    ends_mask?: boolean;
  }[];
}

function complete(model: tfl.LayersModel, { layers = [] }: Topology): void {
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
  for (const each of layers) {
    const layer = byName.get(each.config.name ?? each.name ?? "");
    if (layer === undefined) continue;
    if ("layers" in layer) complete(layer as tfl.LayersModel, each.config);
    else if (isOwnLayer(layer)) each.module = ownModule;
    if (hasOwnMasks(layer) && endsMask(layer)) each.ends_mask = true;
    // Stock tfjs leaves an inferred size unknown, and layers such as Dense refuse unknown sizes.
    if (layer.getClassName() === "Reshape") each.config.target_shape = knownSizes(layer) ?? each.config.target_shape;
  }
}

function knownSizes({ inboundNodes }: tfl.layers.Layer): number[] | undefined {
  const [first, ...others] = inboundNodes.map(({ outputShapes }) => shapesOf(outputShapes)[0]!.slice(1));
  const isKnown =
    first !== undefined && !first.includes(null) && others.every((each) => String(each) === String(first));
  return isKnown ? (first as number[]) : undefined;
}
