import type { ModelMetadata } from "@convkit/core";
import type { JsonObject } from "../bytes/json.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";

export type WeightsFormat =
  | "safetensors"
  | "torch"
  | "keras-h5"
  | "keras-weights-h5"
  | "keras"
  | "hdf5"
  | "tfjs"
  | "npy"
  | "npz"
  | "onnx"
  | "savedmodel";

/** An open file of weights. Its table of contents is read; each tensor's bytes are read on demand. */
export interface WeightsFile {
  readonly path: string;
  readonly format: WeightsFormat;
  readonly tensors: readonly NamedTensor[];
  /** The tensors by layer, in Keras' order; only for Keras' formats. */
  readonly layers?: readonly LayerTensors[];
  /** The architecture, if the file has one: Keras' `model_config` or a tfjs `modelTopology`. */
  readonly config?: JsonObject;
  /** The file's own metadata, as in safetensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Metadata that `saveModel` wrote: classes, preprocessing, the zoo's name. */
  readonly modelMetadata?: ModelMetadata;
  /** The network that timm's `config.json` beside the file names; missing if there is none, or if the file comes from a server. */
  readonly configArchitecture?: string;
  /** Of a PyTorch checkpoint: the keys that lead to `tensors`, joined with dots. */
  readonly state?: string;
  /** Of a PyTorch checkpoint: tensors outside of `state`, such as averaged weights, by the keys that lead to them. */
  readonly others?: readonly NamedTensor[];
  /** Tensors of kinds that are not read, such as sparse ones, and why. */
  readonly unread: ReadonlyMap<string, string>;
  /** What the reader chose or left out, a sentence each. */
  readonly notes: readonly string[];
  close(): void;
}

export interface OpenWeightsOptions {
  /**
   * Which weights of a PyTorch checkpoint, by the keys that lead to them: "model_ema". By default the state dict
   * under a usual key such as "state_dict" or "model", else the whole file.
   */
  readonly state?: string | undefined;
}
