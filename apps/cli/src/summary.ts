import { summarize, summaryText } from "@convkit/core";
import type { Context } from "./context.ts";
import { engineInUse } from "./engine-in-use.ts";
import { type ModelOptions, resolveModel } from "./resolve-model.ts";

/** `convkit summary`: Keras' table, with what Keras leaves out. */
export async function summary(context: Context, name: string, options: ModelOptions): Promise<void> {
  await engineInUse(context);
  const { model } = await resolveModel(name, options);
  context.out.result(summarize(model), summaryText(model));
}
