import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import { assignUntraced, entryOf, tensorOf } from "../tfjs/backend.ts";
import { eagerly } from "../tfjs/recording.ts";
import { uniformValue } from "../ir/constants.ts";
import { replay } from "../trace/constant-values.ts";
import type { Trace } from "../trace/trace.ts";
import { fromTfjs } from "../values/dtypes.ts";
import { ifFinite } from "./loss-scale.ts";
import type { TracePatch } from "./trace-patch.ts";

/**
 * What: a variable that is made in a trace starts with a value computed at once.
 * Why: it outlives the trace (an optimizer's slot), and a recorded tensor has no value outside of it.
 * Undone: when the trace ends.
 */
export const makeVariablePatch: TracePatch = {
  targets: ["tf.engine().makeVariable"],
  apply(patches, trace) {
    patches.wrap(
      tf.engine(),
      "makeVariable",
      (makeVariable) =>
        function (this: unknown, initial: tf.Tensor, trainable?: boolean, name?: string, dtype?: tf.DataType) {
          const cast = dtype === undefined || dtype === initial.dtype ? initial : tf.cast(initial, dtype);
          const value = initialValue(trace, cast);
          const variable = makeVariable.call(this, value, trainable, name, dtype) as tf.Variable;
          value.dispose();
          eagerly(() => trace.noteMade(variable));
          return variable;
        },
    );
  },
};

/**
 * What: an assignment is recorded as a write.
 * Why: tfjs assigns by exchanging the variable's data, of which the backend sees nothing.
 * Undone: when the trace ends; variables then have the data they had before.
 */
export const assignPatch: TracePatch = {
  targets: ["tf.Variable.prototype.assign"],
  apply(patches, trace) {
    patches.wrap(
      tf.Variable.prototype,
      "assign",
      () =>
        function (this: tf.Variable, value: tf.Tensor) {
          trace.variable(this).hold();
          assignUntraced(this, ifFinite(trace, this, value));
        },
    );
  },
};

/** The initial value of a variable made in a trace, as a tensor that outlives the trace. */
function initialValue(trace: Trace, tensor: tf.Tensor): tf.Tensor {
  const entry = entryOf(trace.backend, tensor.dataId);
  if (entry?.ref === undefined) return eagerly(() => tensor.clone());
  const uniform = uniformValue(entry.ref.node);
  if (uniform !== undefined) {
    const { shape } = tensor;
    const dtype = fromTfjs(tensor.dtype);
    return tensorOf(trace.backend, { shape, dtype, values: null, id: -1, refCount: 1, fill: uniform }, tensor.dtype);
  }
  const value = replay(trace, entry.ref, { variables: true });
  if (value === undefined)
    throw new GraphError(
      "A variable is made inside a compiled function from one of its inputs or from random numbers; make it outside, and assign to it inside.",
    );
  return value;
}
