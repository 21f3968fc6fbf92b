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

/** Cells of tfjs, which call no code of the user's. */
const ownCells: ReadonlySet<string> = new Set(["SimpleRNNCell", "GRUCell", "LSTMCell"]);

/**
 * What: a stateful recurrent layer is refused; the steps of a layer with a cell of tfjs have the user's line of the layer.
 * Why: tfjs keeps the layer's state in JavaScript from call to call, where a graph cannot reach it; a layer has hundreds of ops a
 * step, and each search for the user's line walks the stack.
 * Undone: when the trace ends.
 */
export const recurrentLayerPatch: TracePatch = {
  targets: ["tfl.RNN.prototype.call"],
  apply(patches, trace) {
    patches.wrap(
      tfl.RNN.prototype as unknown as { call: Method },
      "call",
      (call) =>
        function (this: tfl.RNN, ...args: unknown[]) {
          if (this.stateful)
            throw new GraphError(
              `The layer ${this.name} is stateful: tfjs keeps its state in JavaScript from call to call, and a graph would always start from the state of its first. Make it stateless, or run it eagerly.`,
            );
          const run = () => call.apply(this, args);
          return ownCells.has(this.cell.getClassName()) ? trace.lines.hold(run) : run();
        },
    );
  },
};
