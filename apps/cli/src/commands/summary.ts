import type { Context } from "../terminal/context.ts";
import { grouped } from "../terminal/format.ts";
import { type ModelOptions, modelOptions } from "../inputs/model-options.ts";
import type { SavedSummary } from "../inputs/saved-model.ts";

export const options = modelOptions;

/** `convkit summary`: Keras' table, with multiply-adds, memory and receptive fields. */
export async function run(context: Context, given: ModelOptions, name: string): Promise<void> {
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { hasLayers, openSavedModel, runsAsGraph, savedSummary } = await import("../inputs/saved-model.ts");
  await engineInUse(context);
  if (!hasLayers(name) && (await runsAsGraph(context, name))) {
    const { loaded, dispose } = await openSavedModel(context, name, given);
    const report = savedSummary(name, loaded);
    await dispose();
    context.out.result(report, savedText(report));
    return;
  }
  const { summarize, summaryText } = await import("@convkit/core");
  const { resolveModel } = await import("../inputs/model-source.ts");
  const { model } = await resolveModel(name, given, undefined, (note) => context.out.note(note));
  context.out.result(summarize(model), summaryText(model));
}

/** The signature, then one line for each variable. */
function savedText({ params, signature, variables }: SavedSummary): string {
  const tensor = ([name, { dtype, shape }]: [string, { dtype: string; shape?: number[] }]) =>
    `${name}: ${dtype} [${shape?.map((side) => (side < 0 ? "any" : side)).join(", ") ?? "any"}]`;
  return [
    `${signature.name}`,
    ...Object.entries(signature.inputs).map((entry) => `  takes ${tensor(entry)}`),
    ...Object.entries(signature.outputs).map((entry) => `  gives ${tensor(entry)}`),
    ...variables.map(({ name, ...rest }) => tensor([name, rest as { dtype: string }])),
    `${grouped(params.total)} parameters`,
  ].join("\n");
}
