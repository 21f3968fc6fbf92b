import type { NamedTensor } from "../../bytes/named-tensor.ts";
import type { TensorReference } from "./config.ts";
import type { KerasCall } from "./keras-part.ts";

/** A model in Keras' terms: layers in Keras' order, each with its calls. */
export interface KerasGraph {
  readonly name: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
}

/** A tensor that a call takes. */
export interface TakenTensor extends TensorReference {
  readonly shape: readonly (number | null)[];
  /** The argument that the tensor is; undefined for one that its place tells. */
  readonly role?: string;
}

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly calls: (readonly TakenTensor[])[];
  readonly weights: readonly NamedTensor[];
  /** A bare operation of Keras 3 in place of a layer: its module, and its arguments other than the tensor. */
  readonly operation?: KerasCall;
  /** The Python module of a layer class of Keras outside `keras.layers`, which an .h5 cannot name. */
  readonly module?: string;
  /** Arguments of the layer's calls besides its tensors and `training`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** True if every call is made with `training=True`. */
  readonly training?: boolean;
  /** True if the layer's calls state training=False. */
  readonly isHeld?: boolean;
  /** The dtype policy that the layer's file stated; undefined for float32. */
  readonly policy?: string;
  /** The layers within this layer that hold its weights in Keras 3: their paths, and the number of weights of each. */
  readonly inside?: readonly (readonly [path: string, count: number])[];
  /** The path of the layer's weights in a `.weights.h5`. */
  path: string;
  readonly inner?: KerasGraph;
}
