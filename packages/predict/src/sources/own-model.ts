import type { LayersModel } from "@tensorflow/tfjs-layers";

import { isOnnxRuntime } from "../runtimes/runtime-names.ts";
import type { OpenedModel } from "./opened-model.ts";

/** Opens a model that was loaded for it, and frees the model when it is not needed any more, unless it was given as the network. */
export async function withOwnModel(
  model: LayersModel,
  network: unknown,
  open: () => Promise<OpenedModel>,
): Promise<OpenedModel> {
  if (model === network) return open();
  try {
    const opened = await open();
    if (isOnnxRuntime(opened.description.runtime)) {
      // The runtime has a copy.
      model.dispose();
      return opened;
    }
    return {
      ...opened,
      async dispose() {
        await opened.dispose();
        model.dispose();
      },
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
