import { OptionError } from "@convkit/errors";
import { stockClass } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

type Layer = tfl.layers.Layer;
type WrapperArgs = NonNullable<BaseArgs> & { readonly layer: Layer };

const sample = tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units: 1, name: "stock" }), name: "stock" });

/** tfjs-layers' own base class of wrappers, which it does not export. */
const Wrapper = Object.getPrototypeOf(stockClass(sample)) as (abstract new (args: WrapperArgs) => Layer & {
  readonly layer: Layer;
}) & { className: string };

/**
 * A recurrent layer whose call states a mask: the inputs are the sequence, its first states, and the mask. With
 * `zeros`, masked steps of its output are zero.
 */
export class MaskedLayer extends Wrapper {
  static override className = "MaskedLayer";
  readonly zeros: boolean;

  constructor(args: WrapperArgs & { readonly zeros?: boolean }) {
    super(args);
    this.zeros = args.zeros ?? false;
    this.supportsMasking = true;
  }

  override build(shape: Shape): void {
    if (!this.layer.built) this.layer.build(oneShape(shape));
    this.layer.built = true;
    super.build(shape);
  }

  override computeOutputShape(shape: Shape): Shape {
    return this.layer.computeOutputShape(oneShape(shape));
  }

  /** Whether it returns all steps, which then have the mask of the sequence, as in Keras. */
  get returnSequences(): boolean {
    return (this.layer as { readonly returnSequences?: boolean }).returnSequences === true;
  }

  override computeMask(inputs: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    return this.layer.computeMask(inputs, mask);
  }

  override call(inputs: Inputs, options: object = {}): tf.Tensor | tf.Tensor[] {
    const [x, ...rest] = inputs as tf.Tensor[];
    const states = rest.slice(0, -1);
    return tf.tidy(() => {
      const mask = tf.cast(rest.at(-1)!, "bool");
      const y = this.layer.call(x!, {
        ...options,
        mask,
        ...(states.length === 0 ? {} : { initialState: states }),
      });
      return this.zeros ? withoutMasked(one(y), mask) : y;
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.zeros ? { zeros: true } : {}) };
  }
}

/** A sequence with zeros for its masked steps. */
function withoutMasked(x: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const sides = [...mask.shape, ...x.shape.slice(mask.rank).map(() => 1)];
  return tf.mul(x, tf.reshape(tf.cast(mask, "float32"), sides));
}

/** Zeros for masked steps of a sequence: what `zero_output_for_mask` of Keras' recurrent layers asks. Shape unchanged. */
export class MaskedZeros extends tfl.layers.Layer {
  static className = "MaskedZeros";

  constructor(args: BaseArgs) {
    super(args);
    this.supportsMasking = true;
  }

  override call(inputs: Inputs, { mask }: { mask?: tf.Tensor | tf.Tensor[] | null } = {}): tf.Tensor {
    const [x, given] = [one(inputs), [mask].flat()[0]];
    return given == null ? x : tf.tidy(() => withoutMasked(x, given));
  }
}

interface TwoWays {
  readonly returnSequences: boolean;
}

type BidirectionalArgs = Parameters<typeof tfl.layers.bidirectional>[0];
const StockBidirectional = stockClass<BidirectionalArgs, TwoWays>(
  tfl.layers.bidirectional({ layer: tfl.layers.simpleRNN({ units: 1, name: "stock" }) as never, name: "stock" }),
);

/**
 * Replaces tfjs-layers' layer: gives zeros for masked steps of a sequence, as Keras does, and states a backward layer that
 * is more than the forward layer turned round.
 */
export class Bidirectional extends StockBidirectional {
  static override className = "Bidirectional";

  override getConfig(): Config {
    const { forwardLayer, backwardLayer } = this as unknown as Record<"forwardLayer" | "backwardLayer", Layer>;
    const options = (layer: Layer): string => JSON.stringify({ ...layer.getConfig(), name: "", goBackwards: false });
    if (options(forwardLayer) === options(backwardLayer)) return super.getConfig();
    const stated = { className: backwardLayer.getClassName(), config: backwardLayer.getConfig() };
    return { ...super.getConfig(), backwardLayer: stated as never };
  }

  override apply(inputs: Inputs | tfl.SymbolicTensor | tfl.SymbolicTensor[], options?: object): never {
    // tfjs adds the first states to this list, which ResetAfterGRU lacks.
    this.inputSpec ??= [new tfl.InputSpec({ ndim: 3 })];
    return super.apply(inputs, options as never) as never;
  }

  override call(inputs: Inputs, options: { mask?: tf.Tensor | tf.Tensor[] | null } = {}): tf.Tensor | tf.Tensor[] {
    const mask = [options.mask].flat()[0];
    if (mask == null || !this.returnSequences) return super.call(inputs, options);
    return tf.tidy(() => {
      const kept = tf.expandDims(tf.cast(mask, "float32"), 2);
      const outputs = [super.call(inputs, options)].flat();
      const all = outputs.map((output) => (output.rank === 3 ? tf.mul(output, kept) : output));
      return all.length === 1 ? all[0]! : all;
    });
  }
}

/**
 * Keras' SpectralNormalization. Predicts with the kernel as the file has it; training, which divides the kernel by its
 * largest singular value, is not supported. Miyato et al. 2018, https://arxiv.org/abs/1802.05957
 */
export class SpectralNormalization extends Wrapper {
  static override className = "SpectralNormalization";
  readonly powerIterations: number;
  #vector: tfl.LayerVariable | undefined;

  constructor(args: WrapperArgs & { readonly powerIterations?: number }) {
    super(args);
    this.powerIterations = args.powerIterations ?? 1;
  }

  override build(shape: Shape): void {
    if (!this.layer.built) this.layer.build(shape);
    this.layer.built = true;
    const size = this.layer.weights[0]!.shape.at(-1)!;
    this.#vector = this.addWeight("vector_u", [1, size], "float32", tfl.initializers.zeros(), undefined, false);
    super.build(shape);
  }

  override get nonTrainableWeights(): tfl.LayerVariable[] {
    const own = this.#vector === undefined ? [] : [this.#vector];
    return [...own, ...this.layer.nonTrainableWeights];
  }

  override computeOutputShape(shape: Shape): Shape {
    return this.layer.computeOutputShape(shape);
  }

  override call(inputs: Inputs, options: { training?: boolean } = {}): tf.Tensor | tf.Tensor[] {
    if (options.training === true && this.trainable)
      throw new OptionError(
        `${this.name}: spectral normalization is known in prediction only; train it in Keras, or set its trainable to false`,
      );
    return this.layer.call(inputs, options);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), powerIterations: this.powerIterations };
  }
}

/** Adds a penalty on its input to the loss in training: Keras' ActivityRegularization. Shape unchanged. */
export class ActivityRegularization extends tfl.layers.Layer {
  static className = "ActivityRegularization";
  readonly l1: number;
  readonly l2: number;
  #last: tf.Tensor | undefined;

  constructor({ l1 = 0, l2 = 0, ...base }: BaseArgs & { l1?: number; l2?: number }) {
    super(base);
    [this.l1, this.l2] = [l1, l2];
    this.supportsMasking = true;
    this.addLoss(() => this.#penalty());
  }

  override call(inputs: Inputs, options: { training?: boolean } = {}): tf.Tensor {
    const x = one(inputs);
    this.#last = options.training === true ? x : undefined;
    return x;
  }

  #penalty(): tf.Scalar {
    const x = this.#last;
    if (x === undefined || x.isDisposed) return tf.scalar(0);
    return tf.tidy(() =>
      tf.add(tf.mul(this.l1, tf.sum(tf.abs(x))), tf.mul(this.l2, tf.sum(tf.square(x)))),
    ) as tf.Scalar;
  }

  override getConfig(): Config {
    return { ...super.getConfig(), l1: this.l1, l2: this.l2 };
  }
}

interface PoolArgs {
  readonly keepdims?: boolean;
}

const StockAverage1D = stockClass<BaseArgs>(tfl.layers.globalAveragePooling1d({ name: "stock" }));

/** Replaces tfjs-layers' layer, which ignores masks: `[n, length, c] -> [n, c]`, the mean of the steps that are not masked. */
export class MaskedAverage1D extends StockAverage1D {
  static override className = "GlobalAveragePooling1D";
  readonly keepdims: boolean;

  constructor({ keepdims = false, ...base }: NonNullable<BaseArgs> & PoolArgs) {
    super(base);
    this.keepdims = keepdims;
    this.supportsMasking = true;
    // The mask may come as a second input.
    this.inputSpec = [];
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch = null, , channels = null] = oneShape(shape);
    return this.keepdims ? [batch, 1, channels] : [batch, channels];
  }

  override computeMask(): tf.Tensor {
    return null as unknown as tf.Tensor;
  }

  override call(inputs: Inputs, options: { mask?: tf.Tensor | tf.Tensor[] | null } = {}): tf.Tensor {
    return tf.tidy(() => {
      const [x, stated] = [inputs].flat() as [tf.Tensor, tf.Tensor | undefined];
      const mask = stated ?? [options.mask].flat()[0];
      if (mask == null) return tf.mean(x, 1, this.keepdims);
      const kept = tf.expandDims(tf.cast(mask, "float32"), 2);
      return tf.div(tf.sum(tf.mul(x, kept), 1, this.keepdims), tf.sum(kept, 1, this.keepdims));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.keepdims ? { keepdims: true } : {}) };
  }
}
