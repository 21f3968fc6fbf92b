import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

type Layer = tfl.layers.Layer;
type StackArgs = NonNullable<BaseArgs> & { readonly layers: readonly (Layer | Stated)[] };

/** A layer in the form of a configuration. */
interface Stated {
  readonly className: string;
  readonly config: object;
}

interface RecurrentCall {
  readonly training?: boolean;
  readonly mask?: tf.Tensor | tf.Tensor[] | null;
}

/**
 * Recurrent layers one after another, as Keras' RNN of StackedRNNCells computes them: `[n, length, c] -> [n, units]`, or
 * `[n, length, units]` if the last layer returns sequences. A mask is for all of the layers.
 */
export class RecurrentStack extends tfl.layers.Layer {
  static className = "RecurrentStack";
  readonly stack: readonly Layer[];
  readonly returnSequences: boolean;

  constructor(args: StackArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    this.stack = args.layers.map((layer) => (layer instanceof tfl.layers.Layer ? layer : made(layer)));
    this.returnSequences =
      (this.stack.at(-1) as Layer & { readonly returnSequences?: boolean }).returnSequences === true;
    this.supportsMasking = true;
  }

  override build(shape: Shape): void {
    let sizes = oneShape(shape);
    for (const layer of this.stack) {
      if (!layer.built) layer.build(sizes);
      layer.built = true;
      sizes = oneShape(layer.computeOutputShape(sizes));
    }
    super.build(shape);
  }

  override get trainableWeights(): tfl.LayerVariable[] {
    return this.trainable ? this.stack.flatMap((layer) => layer.trainableWeights) : [];
  }

  override get nonTrainableWeights(): tfl.LayerVariable[] {
    return this.stack.flatMap((layer) => (this.trainable ? layer.nonTrainableWeights : layer.weights));
  }

  override computeOutputShape(shape: Shape): Shape {
    return this.stack.reduce((sizes, layer) => oneShape(layer.computeOutputShape(sizes)), oneShape(shape));
  }

  override computeMask(_: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return (this.returnSequences ? ([mask].flat()[0] ?? null) : null) as unknown as tf.Tensor;
  }

  override call(inputs: Inputs, { training, mask }: RecurrentCall = {}): tf.Tensor {
    const given = [mask].flat()[0];
    const options = { training, ...(given == null ? {} : { mask: given }) };
    return this.stack.reduce((x, layer) => one(layer.call(x, options)), one(inputs));
  }

  override getConfig(): Config {
    const layers = this.stack.map((layer) => ({ className: layer.getClassName(), config: layer.getConfig() }));
    return { ...super.getConfig(), layers: layers as never };
  }
}

function made({ className, config }: Stated): Layer {
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    unknown,
    (cls: unknown, config: object) => Layer,
  ];
  return fromConfig(cls, config);
}
