import type * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../../bytes/json.ts";
import type { JsonObject } from "../../../bytes/json.ts";
import { computedTensor } from "../../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../../bytes/named-tensor.ts";
import { variableTensor } from "../../../bytes/variable-tensor.ts";
import { foreignActivation, foreignRegularizer, hasMasks, heldLayer } from "./held-layer.ts";
import { row, unchanged } from "./stock-row.ts";
import type { Floats, HeldLayer, Source, StockRow } from "./stock-row.ts";
import { stockActivations } from "./activations.ts";
import { lackingInStock, stockLayers } from "./table.ts";

/** A layer of a topology, as the file has it. */
export interface FileLayer {
  readonly name?: string;
  readonly class_name: string;
  readonly config: JsonObject;
  readonly inbound_nodes?: readonly (readonly FileCall[])[];
}

/** One input of a call: the layer, the number of its call, the number of its output, arguments. */
type FileCall = readonly [layer: string, call: number, output: number, args?: object];

/** A model made of stock layers only. */
export interface StockModel {
  readonly topology: FileLayer;
  readonly tensors: readonly NamedTensor[];
  /** The layers that no stock layers compute, each with the reason. */
  readonly refused: readonly string[];
}

/**
 * The topology and weights of a model in which stock layers compute what our own layers compute: the same outputs in
 * prediction. A layer becomes one stock layer or several; the last has its name, so other layers need not change.
 */
export function stockModel(model: tfl.LayersModel, topology: FileLayer): StockModel {
  const writer = new StockWriter(model);
  const made = writer.model(model, topology);
  return { topology: made, tensors: writer.tensors, refused: writer.refused };
}

class StockWriter {
  readonly tensors: NamedTensor[] = [];
  readonly refused: string[] = [];
  /** The names of all layers, and of those that were made. */
  readonly #names: Set<string>;
  /** The names of layers whose weights were written. */
  readonly #written = new Set<string>();
  readonly #masked: boolean;

  constructor(model: tfl.LayersModel) {
    this.#masked = hasMasks(model);
    this.#names = new Set(allNames(model));
  }

  model(model: tfl.LayersModel, file: FileLayer): FileLayer {
    const { config } = file;
    const rows = config["layers"] as readonly FileLayer[];
    const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
    const isChain = rows.some((each) => each.name === undefined);
    const calls = isChain ? chainCalls(rows) : rows.map(({ inbound_nodes = [] }) => inbound_nodes);
    const renamed = new Map<string, string>();
    const layers = rows.flatMap((each, index): FileLayer[] => {
      const name = each.name ?? (each.config["name"] as string);
      const layer = byName.get(name)!;
      const called = { ...each, name, inbound_nodes: calls[index]! };
      if ("layers" in layer) return [this.model(layer as tfl.LayersModel, called)];
      return this.#layer(layer, called, renamed);
    });
    const own = (name: string): string => renamed.get(name) ?? name;
    const named = layers.map((each) => withNames(each, own));
    if (!isChain) {
      const ends = (key: string): unknown => (config[key] as FileCall[]).map(([name, ...rest]) => [own(name), ...rest]);
      return {
        ...file,
        config: { ...config, layers: named, input_layers: ends("input_layers"), output_layers: ends("output_layers") },
      };
    }
    return chainAsModel(model, file, named, this.#unique(`${model.name}_input`));
  }

  #layer(layer: tfl.layers.Layer, file: FileLayer, renamed: Map<string, string>): FileLayer[] {
    if (file.class_name === "InputLayer") return [file];
    const held = heldLayer(layer, file.config, this.#masked);
    const source = this.#source(held);
    const name = this.#weightsName(layer, renamed);
    if (source === undefined) {
      this.#keep(layer, name);
      return [{ ...file, config: { ...held.fileConfig, name: file.config["name"] } }];
    }
    const end = typeof source === "number" ? unchanged(source) : source;
    const rows = inOrder(end);
    const names = new Map(
      rows.map((each) => [each, each === end ? name : this.#unique(`${name}.${snake(each.className)}`)]),
    );
    for (const each of rows)
      for (const weight of each.weights) {
        const full = `${names.get(each)!}/${weight.name}`;
        const { shape, read } = weight;
        this.tensors.push(computedTensor({ name: full, shape, dtype: "float32", place: full, read }));
      }
    return rows.map((each) => ({
      // The last row keeps the old name until the whole model's layers are renamed.
      name: each === end ? file.name! : names.get(each)!,
      class_name: each.className,
      config: { ...each.config, name: each === end ? file.name! : names.get(each)! },
      inbound_nodes: file.inbound_nodes!.map((call, index) =>
        each.inputs.map((input): FileCall => {
          if (typeof input === "number") return call[input]!;
          return [input === end ? file.name! : names.get(input)!, index, 0, {}];
        }),
      ),
    }));
  }

  /** The rows in place of a layer; undefined if it stays. */
  #source(held: HeldLayer): Source | undefined {
    const { layer, config } = held;
    const isLacking = lackingInStock(held) !== undefined;
    const activation = foreignActivation(config);
    if (foreignInside(held)) return this.#refuse(held, "stock tfjs lacks the layer that it holds");
    if (!isLacking && activation === undefined && !foreignRegularizer(config)) return undefined;
    const made = isLacking ? stockLayers(held) : keptRow(layer, held);
    if (typeof made === "string") return this.#refuse(held, made);
    if (activation === undefined || typeof made === "number") return made;
    const apply = Object.hasOwn(stockActivations, activation) ? stockActivations[activation]! : undefined;
    if (apply === undefined) return this.#refuse(held, `no stock layers compute its activation ${activation}`);
    return apply({ ...made, config: { ...made.config, activation: "linear" } });
  }

  #refuse({ layer }: HeldLayer, why: string): undefined {
    this.refused.push(`"${layer.name}" (${layer.getClassName()}): ${why}`);
    return undefined;
  }

  /** The name under which a layer's weights are written: stock tfjs finds weights of all nested models by name. */
  #weightsName(layer: tfl.layers.Layer, renamed: Map<string, string>): string {
    const { name } = layer;
    if (layer.weights.length === 0) return name;
    const own = this.#written.has(name) ? this.#unique(name) : name;
    this.#written.add(own);
    if (own !== name) renamed.set(name, own);
    return own;
  }

  #keep(layer: tfl.layers.Layer, name: string): void {
    for (const variable of layer.weights) {
      const { originalName } = variable;
      const isOwn = originalName.startsWith(`${layer.name}/`);
      const full = isOwn ? `${name}${originalName.slice(layer.name.length)}` : originalName;
      this.tensors.push(variableTensor(full, variable));
    }
  }

  #unique(wanted: string): string {
    let own = wanted;
    for (let count = 1; this.#names.has(own); count++) own = `${wanted}_${count}`;
    this.#names.add(own);
    return own;
  }
}

function allNames(model: tfl.LayersModel): string[] {
  return model.layers.flatMap((layer) =>
    "layers" in layer ? [layer.name, ...allNames(layer as tfl.LayersModel)] : [layer.name],
  );
}

/** Whether a wrapper holds a layer that stock tfjs lacks. */
function foreignInside({ layer, masked }: HeldLayer): boolean {
  const { layer: held, forwardLayer } = layer as { layer?: tfl.layers.Layer; forwardLayer?: tfl.layers.Layer };
  return [held, forwardLayer].some((inner) => {
    if (inner === undefined) return false;
    if ("layers" in inner) return (inner as tfl.LayersModel).layers.some((each) => isForeign(each, masked));
    return isForeign(inner, masked);
  });
}

function isForeign(layer: tfl.layers.Layer, masked: boolean): boolean {
  if (layer.getClassName() === "InputLayer") return false;
  const held = heldLayer(layer, {}, masked);
  return lackingInStock(held) !== undefined || foreignActivation(held.config) !== undefined || foreignInside(held);
}

/** The layer itself, as a row. */
function keptRow(layer: tfl.layers.Layer, { fileConfig, inputs }: HeldLayer): StockRow {
  const weights = layer.weights.map((variable) => ({
    name: variable.originalName.replace(`${layer.name}/`, ""),
    shape: variable.shape as number[],
    read: () => variable.read().dataSync() as Floats,
  }));
  const { name: _, ...config } = fileConfig;
  return row(layer.getClassName(), config, [...inputs.keys()], weights);
}

/** The rows that an output needs, inputs first. */
function inOrder(end: StockRow): StockRow[] {
  const found = new Set<StockRow>();
  const visit = (each: StockRow): void => {
    if (found.has(each)) return;
    for (const input of each.inputs) if (typeof input !== "number") visit(input);
    found.add(each);
  };
  visit(end);
  return [...found];
}

const snake = (className: string): string => className.replaceAll(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase();

/** The calls of a sequential model's layers: each takes the one before. The first takes the model's input, "". */
function chainCalls(rows: readonly FileLayer[]): (readonly FileCall[])[][] {
  let before = "";
  return rows.map(({ class_name, config }) => {
    const calls: FileCall[][] = class_name === "InputLayer" ? [] : [[[before, 0, 0, {}]]];
    before = config["name"] as string;
    return calls;
  });
}

/** A sequential model as a functional one, since a layer may have become several that are no chain. */
function chainAsModel(model: tfl.LayersModel, file: FileLayer, layers: FileLayer[], inputName: string): FileLayer {
  const first = layers[0]!;
  const hasInput = first.class_name === "InputLayer";
  const { shape, dtype } = model.inputs[0]!;
  const input: FileLayer = {
    name: inputName,
    class_name: "InputLayer",
    config: { batch_input_shape: shape, dtype, sparse: false, name: inputName },
    inbound_nodes: [],
  };
  const start = hasInput ? first.name! : inputName;
  const rows = (hasInput ? layers : [input, ...layers]).map((each) =>
    withNames(each, (name) => (name === "" ? start : name)),
  );
  const plain = rows.map(({ config: { batch_input_shape, ...config }, ...each }) => ({
    ...each,
    config: each.class_name === "InputLayer" ? { ...config, batch_input_shape } : config,
  }));
  const { config } = file;
  return {
    ...file,
    class_name: "Model",
    config: {
      name: config["name"],
      layers: plain,
      input_layers: [[start, 0, 0]],
      output_layers: [[rows.at(-1)!.name!, 0, 0]],
    },
  };
}

/** A layer under another name, with its inputs under theirs. */
function withNames(layer: FileLayer, own: (name: string) => string): FileLayer {
  const { config, inbound_nodes = [] } = layer;
  const name = own(layer.name!);
  return {
    ...layer,
    name,
    config: isObject(config) ? { ...config, name } : config,
    inbound_nodes: inbound_nodes.map((call) =>
      call.map(([from, ...rest]): FileCall => [own(from), ...rest] as FileCall),
    ),
  };
}
