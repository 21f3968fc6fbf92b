import type * as tf from "@tensorflow/tfjs-core";
import { assignUntraced, entryOf, tensorOf } from "./backend.ts";
import type { Backend, Entry } from "./backend.ts";

/**
 * Gives a variable data that no other tensor shares, with the same value. tfjs lets tensors share data
 * (`tf.variable(w)`, `w.clone()`, `b.assign(a)`, `other.setWeights(model.getWeights())`), and a kernel sees only the
 * data of its inputs. With shared data, a trace could not tell which variable was read, or whether a copy was read.
 */
export function unshare(backend: Backend, variable: tf.Variable): void {
  const entry = entryOf(backend, variable.dataId);
  if (entry === undefined || entry.refCount === 1) return;
  if (entry.owner?.variable === variable) {
    entry.owner.detach();
    return;
  }
  const copy = copied(backend, variable, entry);
  assignUntraced(variable, copy);
  copy.dispose();
}

/** A tensor with the same value but its own data; TensorFlow shares the memory until one of them is written. */
function copied(backend: Backend, variable: tf.Variable, entry: Entry): tf.Tensor {
  const { shape, dtype, values, id, fill, owner } = entry;
  if (values === null && id >= 0) {
    const type = { name: "T", type: backend.binding.TF_ATTR_TYPE, value: dtype };
    return backend.executeSingleOutput("Identity", [type], [variable]);
  }
  const own: Entry = { shape, dtype, values: values ?? owner?.read() ?? null, id: -1, refCount: 1 };
  if (own.values === null && fill !== undefined) own.fill = fill;
  return tensorOf(backend, own, variable.dtype);
}
