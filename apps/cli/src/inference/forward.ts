import { rawPixels } from "@convkit/core";
import type { Values } from "@convkit/graph";
import { type Predictor, predictor } from "@convkit/predict";
import type { Context } from "../terminal/context.ts";
import type { NumpyArray } from "../outputs/npy.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { resolveModel } from "../inputs/model-source.ts";
import { openSavedModel, runsAsGraph } from "../inputs/saved-model.ts";

/** What runs a model. */
export type Forward = Pick<Predictor, "predict" | "dispose">;

/** A model that takes raw arrays, and the shape of its input; null stands for any size. */
export async function openForward(
  context: Context,
  name: string,
  options: ModelOptions,
): Promise<{ readonly forward: Forward; readonly wanted: readonly (number | null)[] }> {
  if (await runsAsGraph(context, name)) {
    const forward = await openSavedModel(context, name, options);
    return { forward, wanted: forward.input };
  }
  const { model } = await resolveModel(name, options, context.options.seed, (note) => context.out.note(note));
  return { forward: predictor(model, { preprocessing: rawPixels }), wanted: model.inputs[0]!.shape };
}

/** Runs an array through a model, `batch` rows at a time, and disposes of the model. */
export async function runInBatches(forward: Forward, { shape, data }: NumpyArray, batch: number): Promise<NumpyArray> {
  const [count = 0, ...image] = shape;
  const pixels = image.reduce((product, each) => product * each, 1);
  const parts: Values[] = [];
  try {
    for (let from = 0; from < count; from += batch) {
      const size = Math.min(batch, count - from);
      parts.push(
        await forward.predict({ data: data.subarray(from * pixels, (from + size) * pixels), shape: [size, ...image] }),
      );
    }
  } finally {
    await forward.dispose();
  }
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part.data, offset);
    offset += part.data.length;
  }
  return { shape: [count, ...(parts[0]?.shape.slice(1) ?? [])], data: joined };
}
