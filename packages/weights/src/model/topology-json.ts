import type * as tfl from "@tensorflow/tfjs-layers";
import { modelLayers } from "./model-layers.ts";

/**
 * What tfjs' `toJSON` states of a model. States that a recurrent layer begins with stand among the inputs of its call, as tfjs reads them;
 * tfjs keeps them among the options of the call, too, where it cannot write them and says so on the console.
 */
export function topologyJson(model: tfl.LayersModel): unknown {
  const restore: (() => void)[] = [];
  for (const { layer } of modelLayers(model))
    for (const node of layer.inboundNodes as unknown as { callArgs?: Record<string, unknown> | undefined }[]) {
      const { callArgs } = node;
      if (callArgs == null || !("initialState" in callArgs || "constants" in callArgs)) continue;
      const { initialState: _, constants: __, ...rest } = callArgs;
      node.callArgs = rest;
      restore.push(() => {
        node.callArgs = callArgs;
      });
    }
  try {
    return JSON.parse(JSON.stringify(model.toJSON(null, false)));
  } finally {
    for (const each of restore) each();
  }
}
