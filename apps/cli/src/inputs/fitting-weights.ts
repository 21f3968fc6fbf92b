import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import type { LoadWeightsOptions } from "@convkit/weights";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { CliError } from "../terminal/usage-error.ts";

/** Options of loading weights, with the command's word for the channels. */
interface FittingOptions extends Pick<LoadWeightsOptions, "ignore" | "published" | "state" | "withTop" | "onNote"> {
  readonly adaptChannels?: boolean | undefined;
}

/** Loads weights into a network. If they do not fit, the error names the networks of the zoo that they fit. */
export async function loadFitting(
  model: LayersModel,
  file: string,
  { adaptChannels, ...options }: FittingOptions,
): Promise<void> {
  const { WeightsError } = await import("@convkit/weights");
  const { loadOrName } = await import("@convkit/weights/internal");
  const candidates = (Object.keys(zoo) as ModelName[]).map((name) => ({
    name,
    params: zoo[name].params,
    classes: zoo[name].classes,
    make: (classes: number) => createModel(name, { classes }),
  }));
  try {
    const channels = adaptChannels === true ? "adapt" : undefined;
    await loadOrName(model, file, { ...options, channels }, candidates);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const known = error.message.replace('give channels: "adapt"', "give --adapt-channels");
    throw known === error.message ? error : new CliError(known, { cause: error });
  }
}
