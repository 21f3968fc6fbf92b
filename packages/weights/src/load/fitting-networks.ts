import { withoutDrawing } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { countOf } from "../bytes/named-tensor.ts";
import { WeightsError } from "../weights-error.ts";
import type { LoadWeightsOptions } from "./keras-layers.ts";
import { fitsModel, loadWeights } from "./load-model.ts";
import { openWeights } from "./open-weights.ts";
import type { WeightsFile } from "./weights-file.ts";

/** A network that a file may belong to. */
export interface Candidate {
  readonly name: string;
  /** Number of weights with `classes` classes. */
  readonly params: number;
  readonly classes: number;
  make(classes: number): tfl.LayersModel;
}

/** Tensors of PyTorch's files that the counts of networks leave out. */
const isSpare = /num_batches_tracked$|^(aux\d*|AuxLogits)\./;

/** Weights that a network of Keras has beside PyTorch's: mean, variance and count of a Normalization. */
const mostBeside = 7;

/**
 * Loads a file into a model. If its weights do not fit, the error says the first differences in a few lines, and names the
 * candidates that the file fits.
 */
export async function loadOrName(
  model: tfl.LayersModel,
  path: string,
  options: LoadWeightsOptions,
  candidates: readonly Candidate[],
): Promise<void> {
  try {
    await loadWeights(model, path, options);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const fitting = await fittingNetworks(path, options, candidates).catch(() => []);
    throw shortened(
      error,
      fitting.filter((name) => name !== model.name),
    );
  }
}

/** The candidates into which the weights of the file load, whatever the number of its classes. Reads the file's header alone. */
async function fittingNetworks(
  path: string,
  { state, channels }: LoadWeightsOptions,
  candidates: readonly Candidate[],
): Promise<string[]> {
  const file = await openWeights(path, { state });
  try {
    return await fittingOf(file, { state, channels }, candidates);
  } finally {
    file.close();
  }
}

async function fittingOf(
  file: WeightsFile,
  options: LoadWeightsOptions,
  candidates: readonly Candidate[],
): Promise<string[]> {
  const shapes = file.tensors.filter(({ name }) => !isSpare.test(name)).map(({ shape }) => shape);
  const sum = shapes.reduce((all, shape) => all + countOf(shape), 0);
  // The classifier: a matrix, or a convolution over one pixel. It may have the features or the classes first.
  const head = shapes.findLast((shape) => shape.filter((size) => size !== 1).length === 2) ?? [];
  const [a = 0, b = 0] = head.filter((size) => size !== 1);
  const found: string[] = [];
  for (const { name, params, classes: own, make } of candidates) {
    const pairs = [[own, 0] as const, [a, b] as const, [b, a] as const];
    const pair = pairs.find(([classes, features]) => {
      const beside = params - sum + (classes - own) * (features + 1);
      return classes > 0 && Math.abs(beside) <= mostBeside;
    });
    if (pair === undefined) continue;
    const model = withoutDrawing(() => make(pair[0]));
    const fits = await fitsModel(model, file, options).finally(() => model.dispose());
    if (fits) found.push(name);
  }
  return found;
}

/** The same error in at most five lines. */
function shortened({ file, place, message }: WeightsError, fitting: readonly string[]): WeightsError {
  const where = place === "" ? "" : `, ${place}`;
  const [first = "", ...rest] = message.slice(`${file}${where}: `.length).split("\n");
  const few = rest.length > 3 ? [...rest.slice(0, 2), "  …"] : rest;
  const fits = fitting.length === 0 ? [] : [`The file fits ${fitting.join(" and ")}.`];
  return new WeightsError(file, place, [first, ...few, ...fits].join("\n"));
}
