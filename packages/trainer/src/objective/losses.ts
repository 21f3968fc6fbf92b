import { opAttributes, type TensorFlowBackend, tensorFlowBackend } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";

/** Options of the losses. */
export interface LossOptions {
  /** The outputs are logits: no softmax or sigmoid was applied; false by default. */
  readonly fromLogits?: boolean | undefined;
  /**
   * The part of each target that is spread uniformly over the classes (Szegedy et al. 2015, section 7); 0 by default.
   */
  readonly labelSmoothing?: number | undefined;
}

/** Options of the focal losses. */
export interface FocalOptions extends LossOptions {
  /** Exponent that reduces the loss of easy examples; 0 is cross-entropy, 2 by default. */
  readonly gamma?: number | undefined;
  /** Factor for the loss over classes, and for positive targets with `classBalancing`; 0.25 by default. */
  readonly alpha?: number | undefined;
}

/** Keras' bound on probabilities before a logarithm. */
const epsilon = 1e-7;

/** Cross-entropy of class distributions. `[n, classes], [n, classes] -> [n]` */
export function categoricalCrossentropy(
  targets: tf.Tensor2D,
  outputs: tf.Tensor2D,
  options: LossOptions = {},
): tf.Tensor1D {
  const { fromLogits = false, labelSmoothing = 0 } = options;
  const wanted = smooth(targets, labelSmoothing, 1 / outputs.shape[1]);
  return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(wanted, logProbabilities(outputs, fromLogits)), -1));
}

/** Cross-entropy of class numbers. `[n] int32, [n, classes] -> [n]` */
export function sparseCategoricalCrossentropy(
  labels: tf.Tensor1D,
  outputs: tf.Tensor2D,
  options: LossOptions = {},
): tf.Tensor1D {
  const { fromLogits = false, labelSmoothing = 0 } = options;
  const backend = tensorFlowBackend();
  if (fromLogits && labelSmoothing === 0 && backend !== undefined) return fusedSparse(backend, labels, outputs);
  return categoricalCrossentropy(tf.oneHot(labels, outputs.shape[1], 1, 0, "float32") as tf.Tensor2D, outputs, options);
}

/** Binary cross-entropy, averaged over the last axis. `[n, k], [n, k] -> [n]` */
export function binaryCrossentropy(targets: tf.Tensor2D, outputs: tf.Tensor2D, options: LossOptions = {}): tf.Tensor1D {
  return tf.mean(binaryCrossentropies(targets, outputs, options), -1);
}

/** Binary cross-entropy of each output. `[n, k], [n, k] -> [n, k]` */
export function binaryCrossentropies(targets: tf.Tensor2D, outputs: tf.Tensor2D, options: LossOptions): tf.Tensor2D {
  const { fromLogits = false, labelSmoothing = 0 } = options;
  const wanted = smooth(targets, labelSmoothing, 0.5);
  return fromLogits ? binaryFromLogits(wanted, outputs) : binaryFromProbabilities(wanted, outputs);
}

/** Focal loss over classes (Lin et al. 2017, https://arxiv.org/abs/1708.02002), as Keras' CategoricalFocalCrossentropy. `[n, classes], [n, classes] -> [n]` */
export function categoricalFocal(targets: tf.Tensor2D, outputs: tf.Tensor2D, options: FocalOptions = {}): tf.Tensor1D {
  const { fromLogits = false, labelSmoothing = 0, gamma = 2, alpha = 0.25 } = options;
  const wanted = smooth(targets, labelSmoothing, 1 / outputs.shape[1]);
  const logs = logProbabilities(outputs, fromLogits);
  const weight = tf.mul(alpha, tf.pow(tf.sub(1, tf.exp(logs)), gamma));
  return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(weight, tf.mul(wanted, logs)), -1));
}

/** Options of the binary focal loss. */
export interface BinaryFocalOptions extends FocalOptions {
  /** Multiplies the loss of positive targets by `alpha`, and that of negative ones by 1 - `alpha`; false by default. */
  readonly classBalancing?: boolean | undefined;
}

/** Binary focal loss, as Keras' BinaryFocalCrossentropy; the mean over the last axis. `[n, k], [n, k] -> [n]` */
export function binaryFocal(targets: tf.Tensor2D, outputs: tf.Tensor2D, options: BinaryFocalOptions = {}): tf.Tensor1D {
  return tf.mean(binaryFocals(targets, outputs, options), -1);
}

/** Binary focal loss of each output. `[n, k], [n, k] -> [n, k]` */
export function binaryFocals(targets: tf.Tensor2D, outputs: tf.Tensor2D, options: BinaryFocalOptions): tf.Tensor2D {
  const { fromLogits = false, labelSmoothing = 0, gamma = 2, alpha = 0.25, classBalancing = false } = options;
  const wanted = smooth(targets, labelSmoothing, 0.5);
  const probabilities = fromLogits ? tf.sigmoid(outputs) : outputs;
  const right = tf.add(tf.mul(wanted, probabilities), tf.mul(tf.sub(1, wanted), tf.sub(1, probabilities)));
  const entropy = fromLogits ? binaryFromLogits(wanted, outputs) : binaryFromProbabilities(wanted, outputs);
  const focal = tf.mul<tf.Tensor2D>(tf.pow(tf.sub(1, right), gamma), entropy);
  if (!classBalancing) return focal;
  return tf.mul(focal, tf.add(tf.mul(wanted, alpha), tf.mul(tf.sub(1, wanted), 1 - alpha)));
}

function smooth(targets: tf.Tensor2D, amount: number, uniform: number): tf.Tensor2D {
  return amount === 0 ? targets : (tf.add(tf.mul(targets, 1 - amount), amount * uniform) as tf.Tensor2D);
}

function logProbabilities(outputs: tf.Tensor2D, fromLogits: boolean): tf.Tensor2D {
  if (fromLogits) return tf.logSoftmax(outputs);
  const normalized = tf.div(outputs, tf.sum(outputs, -1, true));
  return tf.log(tf.clipByValue(normalized, epsilon, 1 - epsilon)) as tf.Tensor2D;
}

function binaryFromLogits(targets: tf.Tensor2D, logits: tf.Tensor2D): tf.Tensor2D {
  const tail = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tail);
}

function binaryFromProbabilities(targets: tf.Tensor2D, outputs: tf.Tensor2D): tf.Tensor2D {
  const p = tf.clipByValue(outputs, epsilon, 1 - epsilon);
  return tf.neg(tf.add<tf.Tensor2D>(tf.mul(targets, tf.log(p)), tf.mul(tf.sub(1, targets), tf.log(tf.sub(1, p)))));
}

/** TensorFlow's single op for loss and gradient; tfjs uses a dozen ops for the same. */
function fusedSparse(backend: TensorFlowBackend, labels: tf.Tensor1D, outputs: tf.Tensor2D): tf.Tensor1D {
  const { TF_FLOAT, TF_INT32 } = backend.binding;
  const attributes = opAttributes(backend, { TYPE: { T: TF_FLOAT, Tlabels: TF_INT32 } });
  const op = tf.customGrad((logits: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
    const inputs = [logits as tf.Tensor, labels];
    const [loss, gradient] = backend.executeMultipleOutputs(
      "SparseSoftmaxCrossEntropyWithLogits",
      attributes,
      inputs,
      2,
    );
    (save as tf.GradSaveFunc)([gradient!]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, -1), saved[0]!);
    return { value: loss!, gradFunc };
  });
  return op(outputs) as tf.Tensor1D;
}
