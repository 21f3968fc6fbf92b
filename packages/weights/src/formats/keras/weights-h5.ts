import { UnreadDataset } from "../hdf5/dataset.ts";
import type { Hdf5Dataset } from "../hdf5/dataset.ts";
import type { Hdf5Group } from "../hdf5/reader.ts";
import { storedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";

/** The tensors of one layer, in the order in which Keras saves them. */
export interface LayerTensors {
  readonly layer: string;
  /** The layer's unique path in a Keras 3 file: `layers/functional/layers/conv2d`. */
  readonly path?: string;
  readonly tensors: readonly NamedTensor[];
}

/**
 * The weights of a .h5 of Keras 1, 2 or 3: at the root or in `model_weights`, one group per layer, listed in
 * `layer_names`, with its tensors listed in `weight_names`.
 */
export function readLegacyKeras(file: string, root: Hdf5Group): LayerTensors[] {
  const inner = root.get("model_weights");
  const group = inner?.kind === "group" ? inner : root;
  const layers = listAttribute(group, "layer_names");
  if (layers === undefined)
    throw new WeightsError(file, `group "${group.path}"`, "expected the attribute layer_names of a Keras file");
  refuseTwice(file, `group "${group.path}"`, layers);
  return layers.map((layer) => {
    const layerGroup = group.get(layer);
    if (layerGroup?.kind !== "group")
      throw new WeightsError(file, `layer "${layer}"`, "is named in layer_names, but has no group");
    const names = listAttribute(layerGroup, "weight_names") ?? [];
    refuseTwice(file, `layer "${layer}"`, names);
    const tensors = names.map((name) => {
      const dataset = layerGroup.get(name);
      if (dataset?.kind !== "dataset")
        throw new WeightsError(file, `layer "${layer}"`, `its tensor "${name}" is missing`);
      return datasetTensor(file, `${layer}/${shortName(name)}`, dataset);
    });
    return { layer, tensors };
  });
}

/**
 * The weights of a Keras 3 .weights.h5. Each object has a group `vars` with numbered tensors and, since 3.10, the
 * layer's name as an attribute.
 */
export function readKeras3(file: string, root: Hdf5Group): LayerTensors[] {
  const layers: LayerTensors[] = [];
  const walk = (group: Hdf5Group, path: string): void => {
    const vars = group.get("vars");
    if (vars?.kind === "group" && vars.names.length > 0) {
      const stated = vars.attributes.get("name");
      const layer = typeof stated === "string" ? stated : path;
      const names = vars.names.toSorted((a, b) => Number(a) - Number(b));
      const tensors = names.flatMap((name) => {
        const dataset = vars.get(name);
        return dataset?.kind === "dataset" ? [datasetTensor(file, `${layer}/${name}`, dataset)] : [];
      });
      layers.push({ layer, path, tensors });
    }
    for (const name of group.names) {
      if (name === "vars" || name === "optimizer" || name === "seed_generator" || name === "metrics") continue;
      const child = group.get(name);
      if (child?.kind === "group") walk(child, path === "" ? name : `${path}/${name}`);
    }
  };
  walk(root, "");
  return layers;
}

/** The datasets of an HDF5 file that is not Keras': each is a tensor with its path as name. */
export function readPlainHdf5(file: string, root: Hdf5Group): { tensors: NamedTensor[]; unread: Map<string, string> } {
  const tensors: NamedTensor[] = [];
  const unread = new Map<string, string>();
  const walk = (group: Hdf5Group): void => {
    for (const name of group.names) {
      const path = group.path === "" ? name : `${group.path}/${name}`;
      try {
        const child = group.get(name);
        if (child?.kind === "group") walk(child);
        else if (child !== undefined) tensors.push(datasetTensor(file, path, child));
      } catch (error) {
        // Other data than numbers, such as texts, is no weight.
        if (!(error instanceof UnreadDataset)) throw error;
        unread.set(path, error.problem);
      }
    }
  };
  walk(root);
  if (tensors.length === 0) throw new WeightsError(file, "", "expected an HDF5 file with numbers, got none");
  return { tensors, unread };
}

/** Throws for a repeated name, which would read one tensor many times. */
function refuseTwice(file: string, place: string, names: readonly string[]): void {
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name)) throw new WeightsError(file, place, `"${name}" is named twice`);
    known.add(name);
  }
}

/** A list of texts in an attribute, or in `name0`, `name1` … if Keras split a long list. */
function listAttribute(group: Hdf5Group, name: string): readonly string[] | undefined {
  const whole = group.attributes.get(name);
  if (Array.isArray(whole)) return whole.map(String);
  const parts: string[] = [];
  for (let index = 0; ; index++) {
    const part = group.attributes.get(`${name}${index}`);
    if (!Array.isArray(part)) return index === 0 ? undefined : parts;
    parts.push(...part.map(String));
  }
}

function datasetTensor(file: string, name: string, { path, shape, dtype, readBytes }: Hdf5Dataset): NamedTensor {
  return storedTensor(file, { name, path, shape, dtype, place: `dataset "${path}"`, readBytes });
}

/** The last part of a name: `conv1/kernel:0` becomes `kernel`. */
function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1).replace(/:\d+$/, "");
}
