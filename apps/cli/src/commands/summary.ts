import { summarize, summaryText } from "@convkit/core";
import type { Context } from "../terminal/context.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { grouped } from "../terminal/format.ts";
import { type ModelOptions, resolveModel } from "../inputs/model-source.ts";
import { isSavedModel, openSavedModel, savedSummary } from "../inputs/saved-model.ts";

/** `convkit summary`: Keras' table, with what Keras leaves out. */
export async function summary(context: Context, name: string, options: ModelOptions): Promise<void> {
  await engineInUse(context);
  if (isSavedModel(name)) {
    const { loaded, dispose } = await openSavedModel(context, name);
    const report = savedSummary(name, loaded);
    await dispose();
    context.out.result(report, savedText(report));
    return;
  }
  const { model } = await resolveModel(name, options);
  context.out.result(summarize(model), summaryText(model));
}

/** The signature, then a line a variable. */
function savedText({ params, signature, variables }: ReturnType<typeof savedSummary>): string {
  const tensor = ([name, { dtype, shape }]: [string, { dtype: string; shape?: number[] }]) =>
    `${name}: ${dtype} [${shape?.map((size) => (size < 0 ? "any" : size)).join(", ") ?? "any"}]`;
  return [
    `${signature.name}`,
    ...Object.entries(signature.inputs).map((entry) => `  takes ${tensor(entry)}`),
    ...Object.entries(signature.outputs).map((entry) => `  gives ${tensor(entry)}`),
    ...variables.map(({ name, ...rest }) => tensor([name, rest as { dtype: string }])),
    `${grouped(params.total)} parameters`,
  ].join("\n");
}
