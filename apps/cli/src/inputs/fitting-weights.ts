import { list } from "@convkit/models";
import type { LoadWeightsOptions } from "@convkit/weights";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { CliError } from "../terminal/usage-error.ts";

/** Options of loading weights, with the command's word for the channels. */
interface FittingOptions extends Pick<LoadWeightsOptions, "ignore" | "published" | "state" | "onNote"> {
  readonly adaptChannels?: boolean | undefined;
}

/** Loads weights into a network. If they do not fit, the error names the networks of the zoo that they may fit. */
export async function loadFitting(
  model: LayersModel,
  file: string,
  { adaptChannels, ...options }: FittingOptions,
): Promise<void> {
  const { loadWeights, WeightsError } = await import("@convkit/weights");
  try {
    await loadWeights(model, file, { ...options, channels: adaptChannels === true ? "adapt" : undefined });
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const known = error.message.replace('give channels: "adapt"', "give --adapt-channels");
    const names = (await fittingNetworks(file)).filter((name) => name !== model.name);
    if (names.length === 0) throw known === error.message ? error : new CliError(known, { cause: error });
    const [first, ...rest] = known.split("\n");
    const few = rest.length > 4 ? [...rest.slice(0, 3), `  … and ${rest.length - 3} more lines`] : rest;
    throw new CliError([first, ...few, `It has as many weights as ${names.join(" and ")}.`].join("\n"), {
      cause: error,
    });
  }
}

/** Networks of the zoo with as many weights as the file has, whatever the number of its classes. */
async function fittingNetworks(file: string): Promise<string[]> {
  const { openWeights } = await import("@convkit/weights");
  const opened = await openWeights(file);
  try {
    const isSpare = /num_batches_tracked$|^(aux\d*|AuxLogits)\./;
    const shapes = opened.tensors.filter(({ name }) => !isSpare.test(name)).map(({ shape }) => shape);
    const sum = shapes.reduce((all, shape) => all + shape.reduce((product, size) => product * size, 1), 0);
    const head = shapes.findLast(({ length }) => length === 2);
    const [a = 0, b = 0] = head ?? [];
    // The head may have the features or the classes first.
    return list()
      .filter(({ params, classes }) => {
        const withClasses = (own: number, features: number): number => sum + (classes - own) * (features + 1);
        return [sum, withClasses(a, b), withClasses(b, a)].includes(params);
      })
      .map(({ name }) => name);
  } finally {
    opened.close();
  }
}
