import { features, freeze, replaceHead, withoutDrawing } from "@convkit/core";
import { createModel, findArchitecture, isModelName, type ModelName } from "@convkit/models";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Context } from "../terminal/context.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { hasSameNames, listed } from "../inputs/model-classes.ts";
import { loadFitting } from "../inputs/fitting-weights.ts";
import { resolveModel, type ResolvedModel, weightsFile } from "../inputs/model-source.ts";

/** The classes of the data, and the number that the configuration requests. */
export interface WantedClasses {
  readonly names: readonly string[];
  readonly count: number;
}

/**
 * The initial model of a training: `trained`, or a network of the zoo, new or with `weights`. The model gets a new head
 * if its class names differ, or if it has no names and another number of classes.
 */
export async function modelToTrain(
  { out }: Context,
  trained: ResolvedModel | undefined,
  name: string,
  options: ModelOptions & { readonly weights?: string | undefined },
  { wanted, seed }: { readonly wanted: WantedClasses; readonly seed: number },
): Promise<ResolvedModel> {
  const { names, count } = wanted;
  const made = { ...options, classes: count };
  const resolved =
    trained ??
    (await (options.weights === undefined
      ? resolveModel(name, made, seed)
      : pretrained({ name, weights: options.weights, seed, tell: (note) => out.note(note) }, made)));
  const { classes } = resolved;
  const { shape } = resolved.model.outputs[0]!;
  const outputs = shape.at(-1)!;
  const fits = shape.length === 2 && (outputs === count || (outputs === 1 && count === 2));
  if (fits && (classes === undefined || classes.length === 0 || hasSameNames(classes, names))) return resolved;
  const known = classes === undefined || classes.length === 0 ? `${outputs} outputs` : `the classes ${listed(classes)}`;
  out.note(`${name} has ${known}; it gets a new head for ${fits ? listed(names) : `${count} classes`}.`);
  return { ...resolved, classes: undefined, model: replaceHead(resolved.model, count, { seed }) };
}

/** Freezes all layers but the last one with weights. */
export function freezeAllButHead(model: LayersModel): void {
  const head = model.layers.findLastIndex((layer) => layer.weights.length > 0);
  freeze(model, model.layers[head - 1]?.name);
}

/** A network with weights that fit it, that fit its published form, or that lack its head. */
async function pretrained(
  { name, weights, seed, tell }: { name: string; weights: string; seed: number; tell: (note: string) => void },
  options: ModelOptions,
): Promise<ResolvedModel> {
  const { classes: _classes, ...published } = options;
  try {
    return await told(tell, (onNote) => resolveModel(name, options, seed, onNote));
  } catch (misfit) {
    try {
      return await told(tell, (onNote) => resolveModel(name, published, seed, onNote));
    } catch {
      const { weights: _weights, ...fresh } = options;
      const resolved = await resolveModel(name, fresh, seed);
      const { file, published } = await weightsFile(name, weights, true);
      try {
        const { adaptChannels, state } = options;
        const loaded = { published, adaptChannels, state, withTop: resolved.model };
        await told(tell, (onNote) => loadFitting(trunkOf(resolved.model, name), file, { ...loaded, onNote }));
      } catch {
        throw misfit;
      }
      return resolved;
    }
  }
}

/** A network of the zoo without its top, which shares its weights. */
function trunkOf(model: LayersModel, name: string): LayersModel {
  const bare = withoutDrawing(() => createModel(findArchitecture(name).name as ModelName, { includeTop: false }));
  const last = bare.outputs[0]!.sourceLayer.name;
  bare.dispose();
  const trunk = features(model, [last]);
  // Files are told apart by the name of the network.
  trunk.name = model.name;
  return trunk;
}

/**
 * Number of outputs of a network for `classes` classes: a network with a single sigmoid output keeps it for two
 * classes.
 */
export function outputsFor(name: string, classes: number): number {
  return isModelName(name) && findArchitecture(name).classes === 1 && classes === 2 ? 1 : classes;
}

/** Does what `attempt` does; its notes are told only if it succeeds. */
async function told<Result>(
  tell: (note: string) => void,
  attempt: (onNote: (note: string) => void) => Promise<Result>,
): Promise<Result> {
  const notes: string[] = [];
  const result = await attempt((note) => notes.push(note));
  for (const note of notes) tell(note);
  return result;
}
