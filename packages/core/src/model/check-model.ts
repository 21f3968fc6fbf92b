import { OptionError, shown } from "@convkit/errors";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** Throws an `OptionError` for what is no model, such as its name, or the promise of `loadModel`. */
export function checkModel(where: string, model: unknown): asserts model is LayersModel {
  const { inputs, outputs, getClassName } = (
    typeof model === "object" && model !== null ? model : {}
  ) as Partial<LayersModel>;
  // A sequential model without layers has neither.
  if ((Array.isArray(inputs) && Array.isArray(outputs)) || getClassName?.call(model) === "Sequential") return;
  throw new OptionError(
    `${where}: expected a model such as createModel or \`await loadModel\` gives, got ${shown(model)}.`,
  );
}
