import type * as tfl from "@tensorflow/tfjs-layers";

const held = new WeakSet<tfl.layers.Layer>();

/** Keeps a layer or a nested model in inference, in training too, as a call with training=False asks. */
export function holdInference(layer: tfl.layers.Layer): void {
  const call = layer.call.bind(layer);
  layer.call = (inputs, options) => call(inputs, { ...options, training: false });
  held.add(layer);
}

/** Whether a layer or nested model was loaded from calls with training=False. */
export function isHeld(layer: tfl.layers.Layer): boolean {
  return held.has(layer);
}
