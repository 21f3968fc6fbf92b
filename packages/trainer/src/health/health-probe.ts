import * as tf from "@tensorflow/tfjs-core";
import type { layers, LayersModel } from "@tensorflow/tfjs-layers";
import type { Values } from "@convkit/graph";
import { isModel } from "../model/named-weights.ts";
import type { ActivationHealth, StepHealth, WeightHealth } from "./step-health.ts";

/** A weight that training changes, and its name. */
interface Watched {
  readonly name: string;
  readonly layer: layers.Layer;
  readonly variable: tf.Variable;
}

interface Activated extends layers.Layer {
  readonly activation?: { getClassName?(): string };
}

/** Numbers for each layer's output. */
const columns = 4;

/** Measures a training step from inside: the step's function calls it, so that the numbers are part of the same graph. */
export class HealthProbe {
  readonly #paths: ReadonlyMap<layers.Layer, string>;
  readonly #withGradients: boolean;
  #watched: readonly Watched[] = [];
  /** The layers in the order of their calls. */
  #order: readonly layers.Layer[] = [];
  #activated: readonly { readonly layer: string; readonly isRelu: boolean }[] = [];

  constructor(model: LayersModel, { gradients }: { readonly gradients: boolean }) {
    this.#paths = layerPaths(model);
    this.#withGradients = gradients;
  }

  /**
   * Runs `forward`, which applies the model, and measures the outputs of its layers. Returns their statistics: mean, variance, mean square,
   * share of dead units of each layer. The tensor is kept: `forward` may run on a gradient tape. `[layers * 4]`
   */
  activations<T>(forward: () => T): { readonly made: T; readonly statistics: tf.Tensor1D } {
    const rows: tf.Tensor[] = [];
    const activated: { layer: string; isRelu: boolean }[] = [];
    const order: layers.Layer[] = [];
    const made = withOutputs([...this.#paths.keys()], forward, (layer, output) => {
      order.push(layer);
      const kind = activationOf(layer);
      if (kind === undefined) return;
      const isRelu = kind === "relu" || kind === "relu6";
      activated.push({ layer: this.#paths.get(layer)!, isRelu });
      // A model tidies up after each of its layers.
      rows.push(tf.keep(outputStatistics(output, isRelu)));
    });
    this.#activated = activated;
    this.#order = order;
    const statistics = tf.keep(rows.length === 0 ? tf.zeros([0]) : tf.concat1d(rows as tf.Tensor1D[]));
    tf.dispose(rows);
    return { made, statistics: statistics as tf.Tensor1D };
  }

  /** The trainable weights as they are now, in the order in which the model used their layers. */
  before(trainable: readonly tf.Variable[]): tf.Tensor[] {
    const places = new Map(this.#order.map((layer, place) => [layer, place]));
    const all = watchedWeights(this.#paths, new Set(trainable));
    const placeOf = ({ layer }: Watched): number => places.get(layer) ?? Infinity;
    // The last layer is computed without its softmax, by a copy that was not observed: it comes last.
    this.#watched = all.toSorted((a, b) => (placeOf(a) === placeOf(b) ? 0 : placeOf(a) - placeOf(b)));
    return this.#watched.map(({ variable }) => tf.clone(variable));
  }

  /** The norms of the gradients. `[weights]` */
  gradients(gradients: tf.NamedTensorMap): tf.Tensor1D {
    return norms(this.#watched.map(({ variable }) => gradients[variable.name]));
  }

  /** The gradients as the step's further outputs, if they are asked for. */
  outputs(gradients: tf.NamedTensorMap): tf.Tensor[] {
    if (!this.#withGradients) return [];
    return this.#watched.map(({ variable }) => gradients[variable.name] ?? tf.zerosLike(variable));
  }

  /** The norms of the weights before an update, and of what the update changed. `[2 * weights]` */
  update(before: readonly tf.Tensor[]): tf.Tensor1D {
    const changes = this.#watched.map(({ variable }, index) => tf.sub(variable, before[index]!));
    return tf.concat1d([norms(before), norms(changes)]);
  }

  /** The measurements from the step's outputs; `update` comes from the call that changed the weights. */
  read(
    activations: ArrayLike<number>,
    gradients: ArrayLike<number>,
    update: ArrayLike<number>,
    raw: readonly Values[],
  ): StepHealth {
    const count = this.#watched.length;
    const weights = this.#watched.map(({ name, variable }, index): WeightHealth => ({
      name,
      size: variable.size,
      gradientNorm: gradients[index]!,
      weightNorm: update[index]!,
      updateNorm: update[count + index]!,
    }));
    const rows = this.#activated.map(({ layer, isRelu }, index): ActivationHealth => {
      const [mean, variance, square, dead] = Array.from(
        { length: columns },
        (_, column) => activations[index * columns + column]!,
      ) as [number, number, number, number];
      return {
        layer,
        mean,
        deviation: Math.sqrt(Math.max(variance, 0)),
        norm: Math.sqrt(square),
        dead: isRelu ? dead : null,
      };
    });
    if (!this.#withGradients) return { weights, activations: rows };
    const values = Object.fromEntries(weights.map(({ name }, index) => [name, raw[index]!.data]));
    return { weights, activations: rows, gradients: values };
  }
}

/** `[layer's output] -> [4]`: mean, variance, mean square, share of units that are zero for all images. */
function outputStatistics(output: tf.Tensor, isRelu: boolean): tf.Tensor1D {
  const { mean, variance } = tf.moments(output);
  const square = tf.mean(tf.square(output));
  const others = output.shape.map((_, axis) => axis).slice(0, -1);
  const dead = isRelu
    ? tf.mean(tf.cast(tf.equal(tf.max(tf.abs(output), others), 0), "float32"))
    : tf.scalar(0, "float32");
  return tf.stack([mean, variance, square, dead].map((each) => tf.reshape(each, []))) as tf.Tensor1D;
}

/** Euclidean norms; 0 for a weight that no gradient reaches. `[tensors]` */
function norms(tensors: readonly (tf.Tensor | undefined | null)[]): tf.Tensor1D {
  if (tensors.length === 0) return tf.zeros([0]);
  return tf.stack(
    tensors.map((tensor) => (tensor == null ? tf.scalar(0, "float32") : tf.sqrt(tf.sum(tf.square(tensor))))),
  ) as tf.Tensor1D;
}

/** The name of the function at a layer's end, if it is not linear. */
function activationOf(layer: Activated): string | undefined {
  const className = layer.getClassName();
  if (className === "ReLU") return "relu";
  if (className === "Softmax" || className === "LeakyReLU" || className === "PReLU" || className === "ELU")
    return className;
  const name = layer.activation?.getClassName?.();
  return name === "linear" ? undefined : name;
}

/** All layers of a model and of models inside it, with their paths. */
function layerPaths(model: LayersModel, prefix = ""): Map<layers.Layer, string> {
  const paths = new Map<layers.Layer, string>();
  for (const layer of model.layers) {
    if (!isModel(layer)) paths.set(layer, prefix + layer.name);
    else for (const [inner, path] of layerPaths(layer, `${prefix}${layer.name}/`)) paths.set(inner, path);
  }
  return paths;
}

function watchedWeights(
  paths: ReadonlyMap<layers.Layer, string>,
  trainable: ReadonlySet<tf.Variable>,
): readonly Watched[] {
  const found = new Map<tf.Variable, Watched>();
  const names = new Set<string>();
  for (const [layer, path] of paths) {
    for (const weight of layer.trainableWeights) {
      const variable = weight.read() as tf.Variable;
      if (!trainable.has(variable) || found.has(variable)) continue;
      const name = `${path}/${(weight.originalName ?? weight.name).replace(/^.*\//, "")}`;
      let free = name;
      for (let count = 2; names.has(free); count += 1) free = `${name}_${count}`;
      names.add(free);
      found.set(variable, { name: free, layer, variable });
    }
  }
  return [...found.values()];
}

/** Runs `fn` and passes on what each layer returns at each of its calls. */
function withOutputs<T>(
  watched: readonly layers.Layer[],
  fn: () => T,
  onOutput: (layer: layers.Layer, output: tf.Tensor) => void,
): T {
  const own = watched.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"));
  for (const layer of watched) {
    const call = layer.call.bind(layer);
    layer.call = (inputs, options) => {
      const made = call(inputs, options);
      const [output] = [made].flat();
      onOutput(layer, output!);
      return made;
    };
  }
  try {
    return fn();
  } finally {
    for (const [index, layer] of watched.entries()) {
      delete (layer as Partial<layers.Layer>).call;
      if (own[index] !== undefined) Object.defineProperty(layer, "call", own[index]);
    }
  }
}
