import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import type { LayerTensors } from "../keras/weights-h5.ts";

/**
 * The tensors by layer if tensorflowjs' converter made the folder from a model of Keras 3, whose weights have other names
 * than tfjs' own layers (`layers/conv2d/vars/0`, `sequential/conv2d/kernel`); undefined for other folders.
 */
export function keras3Layers(
  topology: JsonObject | undefined,
  tensors: readonly NamedTensor[],
): LayerTensors[] | undefined {
  if (tensors.length > 0 && tensors.every(({ name }) => numbered.test(name))) return byPath(tensors);
  const version = topology?.["keras_version"];
  if (topology === undefined || typeof version !== "string" || !version.startsWith("3")) return undefined;
  return byTopLayer(topLayers(topology), tensors);
}

const numbered = /^(.+)\/vars\/(\d+)$/;

/** From a `.keras`: the names are the paths of a `.weights.h5`. */
function byPath(tensors: readonly NamedTensor[]): LayerTensors[] {
  const layers = new Map<string, { index: number; tensor: NamedTensor }[]>();
  for (const tensor of tensors) {
    const [, path, index] = numbered.exec(tensor.name)!;
    if (path!.split("/").some((part) => part === "seed_generator" || part === "optimizer")) continue;
    layers.set(path!, [...(layers.get(path!) ?? []), { index: Number(index), tensor }]);
  }
  return [...layers].map(([path, parts]) => ({
    layer: path,
    path,
    tensors: parts.toSorted((a, b) => a.index - b.index).map(({ tensor }) => tensor),
  }));
}

/**
 * From an `.h5`: the names are the paths of Keras' variables. As in an `.h5`, the weights of a nested model belong to the
 * layer that it is.
 */
function byTopLayer(names: ReadonlySet<string>, tensors: readonly NamedTensor[]): LayerTensors[] {
  const layers = new Map<string, NamedTensor[]>();
  for (const tensor of tensors) {
    const parts = tensor.name.split("/").slice(0, -1);
    const layer = parts.find((part) => names.has(part)) ?? parts.join("/");
    layers.set(layer, [...(layers.get(layer) ?? []), tensor]);
  }
  return [...layers].map(([layer, own]) => ({ layer, tensors: own }));
}

function topLayers(topology: JsonObject): Set<string> {
  const model = isObject(topology["model_config"]) ? topology["model_config"] : topology;
  const config = isObject(model["config"]) ? model["config"] : {};
  const rows = Array.isArray(config["layers"]) ? (config["layers"] as unknown[]) : [];
  return new Set(
    rows.flatMap((row) => {
      if (!isObject(row)) return [];
      const name = row["name"] ?? (isObject(row["config"]) ? row["config"]["name"] : undefined);
      return typeof name === "string" ? [name] : [];
    }),
  );
}
