import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import { snakeCase } from "../block/snake-case.ts";
import type { UnnamedBlock } from "../block/names.ts";
import { glorotUniform, initializer } from "../init/initializers.ts";
import type { Init } from "../init/initializers.ts";
import { onlyShape, onlyTensor } from "../tfjs/layer-class.ts";

/** A weight of a layer: its shape, its initial values (`glorotUniform` by default), and whether training changes it (true by default). */
export interface LayerWeight {
  readonly shape: readonly number[];
  /** Initial values; `glorotUniform` by default. */
  readonly init?: Init | undefined;
  /** Whether training changes the weight; true by default. */
  readonly trainable?: boolean | undefined;
}

/** What a layer's function may use besides its input. */
export interface LayerContext<Options, Name extends string> {
  /** The options of this layer. */
  readonly options: Options;
  /** Its weights, by name. */
  readonly weights: Readonly<Record<Name, tf.Tensor>>;
  /** True while the network trains. */
  readonly training: boolean;
}

export interface LayerDefinition<Options, Name extends string> {
  /** Computes the output of a batch, `[n, …]`. */
  readonly call: (x: tf.Tensor, context: LayerContext<Options, Name>) => tf.Tensor;
  /** The output's shape without the batch, from the input's; unchanged by default. */
  readonly outputShape?:
    | ((input: readonly (number | null)[], options: Options) => readonly (number | null)[])
    | undefined;
  /** The layer's weights, for an input of a shape (without the batch); none by default. */
  readonly weights?:
    | ((input: readonly (number | null)[], options: Options) => Readonly<Record<Name, LayerWeight>>)
    | undefined;
}

/**
 * A layer of your own from a function: `const swish = defineLayer("Swish2", { call: (x) => tf.mul(x, tf.sigmoid(x)) })`, then
 * `chain([conv(8, 3, same), swish()])`. The options that `swish(…)` takes must be JSON; saved files hold them under the class
 * name. A program that loads such a file defines the layer first.
 *
 * Throws an `OptionError` for a class name that is taken or is no identifier, and for a definition without a function.
 */
export function defineLayer<Options extends object = Record<never, never>, Name extends string = never>(
  className: string,
  definition: LayerDefinition<Options, Name>,
): (...options: Partial<Options> extends Options ? [options?: Options] : [options: Options]) => UnnamedBlock {
  checkDefinition(className, definition);
  const { call, outputShape = (shape) => shape, weights } = definition;

  class Defined extends tfjs.Layer {
    static readonly className = className;
    readonly #options: Options;
    readonly #weights = new Map<string, tfl.LayerVariable>();

    constructor({ options, ...base }: { name?: string; options?: Options }) {
      super(base);
      this.#options = (options ?? {}) as Options;
    }

    override build(shape: tfl.Shape | tfl.Shape[]): void {
      const entries = weights?.(onlyShape(shape).slice(1), this.#options) ?? {};
      for (const [name, each] of Object.entries<LayerWeight>(entries)) {
        const { shape: size, init = glorotUniform, trainable = true } = each;
        const values = initializer(init, `${this.name}/${name}`);
        this.#weights.set(name, this.addWeight(name, [...size], "float32", values, undefined, trainable));
      }
      super.build(shape);
    }

    override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
      const [batch = null, ...rest] = onlyShape(shape);
      return [batch, ...outputShape(rest, this.#options)];
    }

    override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean } = {}): tf.Tensor {
      const x = onlyTensor(inputs);
      return tf.tidy(() => {
        const values = Object.fromEntries([...this.#weights].map(([name, weight]) => [name, weight.read()]));
        const y = call(x, { options: this.#options, weights: values as Record<Name, tf.Tensor>, training });
        checkResult(this.name, y, outputShape(x.shape.slice(1), this.#options));
        return y === x ? tf.clone(y) : y;
      });
    }

    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), options: this.#options as tf.serialization.ConfigDict };
    }
  }
  tf.serialization.registerClass(Defined as never);
  return (...[options]) =>
    layer((name) => new Defined({ name, ...(options === undefined ? {} : { options }) }), snakeCase(className));
}

function checkDefinition(className: string, definition: { readonly call: unknown }): void {
  if (typeof className !== "string" || !/^\p{L}[\p{L}\p{N}_]*$/u.test(className)) {
    throw new OptionError(`defineLayer: expected a class name such as "Swish2", got ${shown(className)}.`);
  }
  if (typeof definition !== "object" || typeof definition?.call !== "function") {
    const got = typeof definition === "function" ? definition : definition?.call;
    throw new OptionError(
      `defineLayer ${className}: expected { call: (x) => … }, a function of tensors, got ${shown(got)}.`,
    );
  }
  if (Object.hasOwn(tf.serialization.SerializationMap.getMap().classNameMap, className)) {
    throw new OptionError(`defineLayer: expected a name of its own, but ${className} is taken by another layer.`);
  }
}

function checkResult(name: string, y: tf.Tensor, expected: readonly (number | null)[]): void {
  const fits =
    y instanceof tf.Tensor &&
    y.shape.length === expected.length + 1 &&
    expected.every((size, i) => size === null || size === y.shape[i + 1]);
  if (fits) return;
  throw new OptionError(
    `${name}: expected the layer's function to return a tensor of the shape ${shown([null, ...expected])} as its outputShape says, ` +
      `got ${y instanceof tf.Tensor ? shown(y.shape) : shown(y)}.`,
  );
}
