import * as tfl from "@tensorflow/tfjs-layers";
import { GraphError } from "../graph-error.ts";
import type { TracePatch } from "./trace-patch.ts";

type Method = (...args: unknown[]) => unknown;

/**
 * What: the trace knows which layer is applied.
 * Why: the layer's name names its nodes, in profiles and errors.
 * Undone: when the trace ends.
 */
export const layerPatch: TracePatch = {
  targets: ["tfl.layers.Layer.prototype.apply"],
  apply(patches, trace) {
    patches.wrap(
      tfl.layers.Layer.prototype as unknown as { apply: Method },
      "apply",
      (apply) =>
        function (this: { name: string }, ...args: unknown[]) {
          trace.scopes.push(this.name);
          try {
            return apply.apply(this, args);
          } finally {
            trace.scopes.pop();
          }
        },
    );
  },
};

/**
 * What: a stateful recurrent layer is refused.
 * Why: tfjs keeps the layer's state in JavaScript from call to call, where a graph cannot reach it.
 * Undone: when the trace ends.
 */
export const recurrentLayerPatch: TracePatch = {
  targets: ["tfl.RNN.prototype.call"],
  apply(patches) {
    patches.wrap(
      tfl.RNN.prototype as unknown as { call: Method },
      "call",
      (call) =>
        function (this: tfl.RNN, ...args: unknown[]) {
          if (this.stateful)
            throw new GraphError(
              `The layer ${this.name} is stateful: tfjs keeps its state in JavaScript from call to call, and a graph would always start from the state of its first. Make it stateless, or run it eagerly.`,
            );
          return call.apply(this, args);
        },
    );
  },
};
