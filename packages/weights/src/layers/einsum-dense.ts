import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { einsum, smallLetters, spelledOut } from "../operations/einsum.ts";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { activationNamed } from "./kernels.ts";
import { weightConfig, weightOptions } from "./weight-options.ts";

interface EinsumArgs {
  readonly equation: string;
  /** The sizes after the batch; null for a size that the input has. */
  readonly outputShape: number | null | readonly (number | null)[];
  readonly biasAxes?: string | null;
  readonly activation?: string;
}

/** Keras' EinsumDense: an einsum of the input and a kernel, `abc,cd->abd`, a bias over some axes, and an activation. */
export class EinsumDense extends tfl.layers.Layer {
  static className = "EinsumDense";
  readonly args: EinsumArgs;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;
  #kernel: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;

  constructor(args: NonNullable<BaseArgs> & EinsumArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { outputShape, activation = "linear" } = args;
    // tfjs writes the texts of a configuration in small letters.
    const small = smallLetters(args.equation);
    const [equation, biasAxes] = [small(args.equation), args.biasAxes == null ? null : small(args.biasAxes)];
    this.args = { equation, outputShape, biasAxes, activation, ...weightConfig(args) };
    this.#activate = activationNamed(activation);
  }

  override build(shape: Shape): void {
    const { input, kernel, output, sizes } = this.#labels(oneShape(shape));
    const size = (label: string): number => {
      const found = sizes.get(label);
      if (found == null) throw new OptionError(`${this.name}: expected a known size for "${label}" of ${input}`);
      return found;
    };
    const own = weightOptions(this.args, "kernel", tfl.initializers.glorotUniform({}));
    const kernelShape = [...kernel].map(size);
    this.#kernel = this.addWeight(
      "kernel",
      kernelShape,
      "float32",
      own.initializer,
      own.regularizer,
      true,
      own.constraint,
    );
    const { biasAxes } = this.args;
    if (biasAxes != null) {
      const bias = weightOptions(this.args, "bias", tfl.initializers.zeros());
      const first = Math.min(...[...biasAxes].map((label) => output.indexOf(label)));
      const biasShape = [...output].slice(first).map((label) => (biasAxes.includes(label) ? size(label) : 1));
      this.#bias = this.addWeight(
        "bias",
        biasShape,
        "float32",
        bias.initializer,
        bias.regularizer,
        true,
        bias.constraint,
      );
    }
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const { output, sizes } = this.#labels(oneShape(shape));
    return [...output].map((label) => sizes.get(label) ?? null);
  }

  /** The letters of the equation without an ellipsis, and the size that each letter has. */
  #labels(shape: tfl.Shape): { input: string; kernel: string; output: string; sizes: Map<string, number | null> } {
    const [input, kernel, output] = spelledOut(this.args.equation, [shape.length, undefined]) as [
      string,
      string,
      string,
    ];
    const stated = [this.args.outputShape].flat();
    const sizes = new Map<string, number | null>([...input].map((label, axis) => [label, shape[axis] ?? null]));
    for (const [i, size] of stated.entries()) {
      const label = output.at(i - stated.length)!;
      if (size != null) sizes.set(label, size);
    }
    return { input, kernel, output, sizes };
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const y = einsum(this.args.equation, [one(inputs), this.#kernel!.read()]);
      return this.#activate(this.#bias === undefined ? y : tf.add(y, this.#bias.read()));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }
}
