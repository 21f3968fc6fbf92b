import type { GraphNode } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import { isHeld } from "../../layers/held.ts";
import { inOrder, usesOf } from "../../model/layer-uses.ts";
import { WeightsError } from "../../weights-error.ts";
import { pathBase } from "./class-name.ts";
import { exportLayer } from "./export-layer.ts";
import { keepsMask, strayMask, withMasks } from "./export-masks.ts";
import type { KerasVersion } from "./export-masks.ts";
import { below } from "./keras-part.ts";
import type { ExportContext, KerasPart, ModelWithin } from "./keras-part.ts";
import type { KerasGraph, KerasLayer, TakenTensor } from "./graph.ts";
import { policyOf } from "./policy.ts";
import { layerOrder } from "./layer-order.ts";
import type { TensorReference } from "./config.ts";
import { keras3Config } from "./write-config.ts";

/** What reads the graph (nothing if only its weights are written), and which inputs of a nested model have masks. */
interface Target {
  readonly version?: KerasVersion | undefined;
  readonly masked?: readonly boolean[];
}

/** Describes a tfjs model in Keras' terms. Throws `WeightsError` naming each layer without a Keras counterpart. */
export function exportGraph(
  model: tfl.LayersModel,
  file: string,
  { version, masked = [] }: Target = {},
): KerasGraph & { readonly masks: readonly boolean[] } {
  const problems: string[] = [];
  const layers = new Map<string, KerasLayer>();
  const places = new Map<number, TensorReference>();
  const producers = new Map<number, GraphNode>();
  const signs = new Map<number, boolean>();
  const masks = new Set(model.inputs.filter((_, index) => masked[index] === true).map(({ id }) => id));
  for (const node of inOrder(usesOf(model))) {
    const { layer, inputs, inputShapes, outputs } = node;
    const refuse = (problem: string): never => {
      throw new WeightsError(file, `layer "${layer.name}" (${layer.getClassName()})`, problem);
    };
    const values: TakenTensor[] = inputs.map(({ id }, index) => ({
      ...(places.get(id) ?? refuse("its input comes from outside the model")),
      shape: inputShapes[index]!,
    }));
    const add = (made: Omit<KerasLayer, "calls" | "path">, from: readonly TakenTensor[]): void => {
      const known = layers.get(made.name) ?? { ...made, calls: [], path: "" };
      layers.set(made.name, known);
      known.calls.push(from);
      // Between the parts of one layer only the rank is known. Keras needs no more.
      values.push({
        layer: made.name,
        call: known.calls.length - 1,
        output: 0,
        shape: outputs[0]!.shape.map(() => null),
      });
    };
    const given = inputs.map(({ id }) => masks.has(id));
    let kept: readonly boolean[] = [keepsMask(layer, given)];
    try {
      if (layer.getClassName() === "InputLayer") {
        const config = { batch_shape: outputs[0]!.shape };
        layers.set(layer.name, { name: layer.name, className: "InputLayer", config, calls: [], weights: [], path: "" });
        values.push({ layer: layer.name, call: 0, output: 0, shape: outputs[0]!.shape });
      } else if ("layers" in layer) {
        const inner = exportGraph(layer as tfl.LayersModel, file, { version, masked: given });
        kept = inner.masks;
        add(
          {
            name: layer.name,
            className: "Functional",
            config: {},
            weights: layer.weights.map(asTensor),
            inner,
            isHeld: isHeld(layer),
          },
          values.slice(),
        );
      } else {
        const neverNegative = inputs.every(({ id }) => isNeverNegative(producers, id, signs));
        const context: ExportContext = {
          inputShape: inputShapes[0]!,
          inputCount: inputs.length,
          neverNegative,
          refuse,
          exportInner: (inner) => exportLayer(inner, context),
          exportModel: (inner) => modelWithin(exportGraph(inner, file)),
        };
        const made = exportLayer(layer, context);
        const stray = version === undefined ? undefined : strayMask(layer, given, masks.size > 0);
        if (stray !== undefined) refuse(stray);
        const parts = version === undefined ? made : withMasks(layer, made, given, { version, refuse });
        const policy = policyOf(layer);
        for (const [index, part] of parts.entries()) {
          const { className, config, takes, weights: own, operation, module, training, inside, options } = part;
          const isLast = index === parts.length - 1;
          const name = isLast ? layer.name : `${layer.name}.${index + 1}`;
          const weights =
            own?.map((tensor) => ({ ...tensor, name: `${name}/${tensor.name}` })) ??
            (isLast ? layer.weights.map(asTensor) : []);
          // Some of Keras' layers without weights reject the option `trainable`.
          const frozen = own === undefined && weights.length > 0 ? { trainable: layer.trainable } : {};
          const row = {
            name,
            className,
            config: { ...frozen, ...config },
            weights,
            isHeld: isLast && isHeld(layer),
            ...(operation === undefined ? {} : { operation }),
            ...(policy === undefined ? {} : { policy }),
            ...(module === undefined ? {} : { module }),
            ...(training === true ? { training } : {}),
            ...(inside === undefined ? {} : { inside }),
            ...(options === undefined ? {} : { options }),
          };
          add(
            row,
            takes === undefined
              ? index === 0
                ? withRoles(values, part)
                : [values.at(-1)!]
              : withRoles(
                  takes.map((place) => values[place]!),
                  part,
                ),
          );
        }
      }
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      problems.push(error.message);
      values.push({ layer: layer.name, call: 0, output: 0, shape: outputs[0]!.shape });
    }
    for (const [index, output] of outputs.entries()) {
      const { layer: name, call } = values.at(-1)!;
      places.set(output.id, { layer: name, call, output: index });
      producers.set(output.id, node);
      if (kept[index] === true) masks.add(output.id);
    }
  }
  if (problems.length > 0)
    throw new WeightsError(file, `model "${model.name}"`, `cannot be written for Keras:\n  ${problems.join("\n  ")}`);
  // tfjs lists no use of an input that no layer takes.
  for (const { id, shape, sourceLayer } of model.inputs) {
    if (places.has(id)) continue;
    const { name } = sourceLayer;
    const config = { batch_shape: shape };
    layers.set(name, { name, className: "InputLayer", config, calls: [], weights: [], path: "" });
    places.set(id, { layer: name, call: 0, output: 0 });
  }
  const refer = (tensor: tfl.SymbolicTensor): TensorReference => places.get(tensor.id)!;
  const [inputs, outputs] = [model.inputs.map(refer), model.outputs.map(refer)];
  const graph = { name: model.name, layers: layerOrder([...layers.values()], inputs, outputs), inputs, outputs };
  return { ...withPaths(graph, ""), masks: model.outputs.map(({ id }) => masks.has(id)) };
}

/** All layers that hold weights, including those in nested models. */
export function innerLayers(graph: KerasGraph): KerasLayer[] {
  return graph.layers.flatMap((layer) => {
    if (layer.operation !== undefined) return [];
    return layer.inner === undefined ? [layer] : innerLayers(layer.inner);
  });
}

/** A model that a layer holds: its configuration, its weights, and the layers that hold them. */
function modelWithin(graph: KerasGraph): ModelWithin {
  const filled = innerLayers(graph).filter(({ weights }) => weights.length > 0);
  return {
    value: keras3Config(graph),
    weights: filled.flatMap(({ weights }) => weights),
    inside: filled.flatMap(({ path, weights, inside }) => below(path, { inside }, weights.length)),
  };
}

/** The layer's inputs, each with the argument that it is, where that is not told by its place. */
function withRoles(inputs: readonly TakenTensor[], { className, roles }: KerasPart): TakenTensor[] {
  const rest = recurrentClasses.has(className)
    ? "initial_state"
    : className === "GlobalAveragePooling1D"
      ? "mask"
      : undefined;
  return inputs.map((tensor, index) => {
    const role = roles?.[index] ?? (index > 0 ? rest : undefined);
    return role === undefined ? tensor : { ...tensor, role };
  });
}

/** Layers whose inputs after the first are the states that they begin with. */
const recurrentClasses = new Set("Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU LSTM SimpleRNN".split(" "));

function asTensor(variable: tfl.LayerVariable): NamedTensor {
  return variableTensor(variable.originalName, variable);
}

function withPaths(graph: KerasGraph, above: string): KerasGraph {
  const counts = new Map<string, number>();
  for (const layer of graph.layers) {
    // Keras does not count operations as layers.
    if (layer.operation !== undefined) continue;
    const base = pathBase(layer.className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    layer.path = `${above}layers/${count === 0 ? base : `${base}_${count}`}`;
    if (layer.inner !== undefined) withPaths(layer.inner, `${layer.path}/`);
  }
  return graph;
}

const keepsSign = new Set([
  "MaxPooling2D",
  "AveragePooling2D",
  "PaddedPooling2D",
  "ZeroPadding2D",
  "Dropout",
  "Concatenate",
  "Add",
  "Multiply",
  "Maximum",
  "Average",
  "Flatten",
  "Reshape",
  "LocalResponseNormalization",
]);
const neverNegativeActivations = new Set([
  "relu",
  "relu6",
  "sigmoid",
  "softmax",
  "softplus",
  "exponential",
  "hardSigmoid",
]);

/** Whether a tensor comes from layers whose outputs are never negative. */
function isNeverNegative(producers: ReadonlyMap<number, GraphNode>, id: number, known: Map<number, boolean>): boolean {
  const answer = known.get(id) ?? followsFrom(producers, id, known);
  known.set(id, answer);
  return answer;
}

function followsFrom(producers: ReadonlyMap<number, GraphNode>, id: number, known: Map<number, boolean>): boolean {
  const node = producers.get(id);
  if (node === undefined) return false;
  const className = node.layer.getClassName();
  if (className === "ReLU") return true;
  const activation = node.layer.getConfig()["activation"];
  if (typeof activation === "string" && neverNegativeActivations.has(activation)) return true;
  return keepsSign.has(className) && node.inputs.every((input) => isNeverNegative(producers, input.id, known));
}
