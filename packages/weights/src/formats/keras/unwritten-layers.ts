import type * as tfl from "@tensorflow/tfjs-layers";
import { kerasClassName } from "./class-name.ts";
import { kerasClasses } from "./config-keys.ts";

/** What is read of Keras' files, but not written for Keras: the sentence that the error says of it. */
export const unwrittenLayers = {
  MaskedZeros: "a recurrent layer that gives zeros for masked steps is read, but not written for Keras",
} as const;

/** Why a layer of ours is not written for Keras. */
export function whyUnwritten(layer: tfl.layers.Layer): string {
  const own = layer.getClassName();
  if (Object.hasOwn(unwrittenLayers, own)) return unwrittenLayers[own as keyof typeof unwrittenLayers];
  const className = kerasClassName(layer);
  return kerasClasses.includes(className)
    ? `Keras' ${className} is read, but not written for Keras`
    : `Keras has no layer ${own}`;
}
