import { shown } from "@convkit/errors";
import { WeightsError } from "../../weights-error.ts";
import type { LayerConfig } from "./config.ts";
import type { Making } from "./import-layer.ts";

/** The shape that an input layer states, with its batch. Throws a WeightsError for anything but sizes. */
export function inputShape(file: string, { config, place }: LayerConfig): readonly (number | null)[] {
  const shape = config["batch_shape"] ?? config["batch_input_shape"];
  if (
    !Array.isArray(shape) ||
    shape.some((size: unknown) => size !== null && !(Number.isInteger(size) && (size as number) > 0))
  ) {
    throw new WeightsError(file, place, `expected a batch_shape, got ${shown(shape)}`);
  }
  return shape as (number | null)[];
}

/** The type of an input: int32 if the next layer uses it as indices, bool if it holds no numbers. */
export function inputType({ config }: LayerConfig): "float32" | "int32" | "bool" {
  if (config["dtype"] === "bool") return "bool";
  return /^u?int(32|64)$/.test(String(config["dtype"])) ? "int32" : "float32";
}

/** The shape for any batch, or for the file's if a layer keeps its state from batch to batch. */
export function anyBatch(shape: readonly (number | null)[], { keepsBatch }: Making): (number | null)[] {
  return keepsBatch ? [...shape] : [null, ...shape.slice(1)];
}
