import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import { findArchitecture, isModelName } from "@convkit/models";
import { taskHeads } from "@convkit/trainer";
import { hasSameNames, listed, matchModelClasses } from "../inputs/model-classes.ts";
import { inputOf, type ResolvedModel, resolveModel } from "../inputs/model-source.ts";
import { fitOf } from "../inputs/preprocessing-option.ts";
import { mapSplits, type ReadOptions, runSplits } from "../inputs/run-splits.ts";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { maskInput, maskNetwork, newMaskNetwork } from "./mask-network.ts";
import type { RunConfig } from "./run-config.ts";
import { freezeAllButHead, modelToTrain, outputsFor } from "./starting-model.ts";

/** The settings that say which images a training has, and which model it begins with. */
export type ModelSettings = Pick<
  RunConfig,
  | "plan"
  | "seed"
  | "weights"
  | "state"
  | "adaptChannels"
  | "preprocessingKind"
  | "freeze"
  | "classes"
  | "dataFrom"
  | "outside"
  | "fold"
>;

/** Loads the images of a run and its initial model, which has an output for each class. */
export async function runModel(
  context: Context,
  config: ModelSettings,
  { workers, strict, cacheDecoded, cacheLimit }: Omit<ReadOptions, "image" | "fit"> = {},
): Promise<ResolvedModel & { readonly data: DataSplits<IndexedDataset> }> {
  const { plan, seed, weights, adaptChannels, state, preprocessingKind: preprocessing } = config;
  const trained =
    isModelName(plan.model) || plan.model === maskNetwork
      ? undefined
      : await resolveModel(plan.model, { preprocessing }, seed, (note) => context.out.note(note));
  const isMaskNetwork = plan.model === maskNetwork;
  const usual = () => (isMaskNetwork ? maskInput : findArchitecture(plan.model).input);
  const image = trained ? inputOf(trained.model, trained.images) : (plan.modelOptions?.input ?? usual());
  const { dropPath, dropBlock } = plan.modelOptions ?? {};
  if ((trained !== undefined || isMaskNetwork) && (dropPath ?? dropBlock) !== undefined)
    throw new UsageError(
      "--drop-path and --drop-block are for networks of the zoo; unet has none, and a stored model keeps its layers: leave them out.",
    );
  const data = await runSplits(context, config, {
    workers,
    strict,
    cacheDecoded,
    cacheLimit,
    image,
    fit: trained?.images ?? fitOf(preprocessing),
  });
  const { classes: names, targets } = data.train;
  checkStoredClasses(config, data);
  if (isMaskNetwork) {
    return { ...newMaskNetwork(plan, data.train, { seed, preprocessing }), data };
  }
  const { input, aux, classes: count = outputsFor(plan.model, names.length) } = plan.modelOptions ?? {};
  const options = {
    dropPath,
    dropBlock,
    input: input && ([...input] as [number, number, number]),
    weights,
    adaptChannels,
    state,
    preprocessing,
  };
  if (targets !== undefined) {
    if (aux === true) throw new UsageError("--aux is for classes: leave it out.");
    const wanted = {
      names: [],
      count: trained?.model.outputs[0]!.shape.at(-1) ?? findArchitecture(plan.model).classes,
    };
    const base = trained ?? (await modelToTrain(context, trained, plan.model, options, { wanted, seed }));
    const model = fitsTargets(base.model, targets) ? base.model : taskHeads(base.model, data.train, { seed });
    if (config.freeze === true) freezeAllButHead(model);
    return { ...base, classes: undefined, model, data };
  }
  const wanted = { names, count };
  const resolved = await modelToTrain(context, trained, plan.model, { ...options, aux }, { wanted, seed });
  if (config.freeze === true) freezeAllButHead(resolved.model);
  // A kept head has its own order of the classes.
  const isKept = trained !== undefined && resolved.model === trained.model;
  return { ...resolved, data: isKept ? mapSplits(data, (set) => matchModelClasses(context.out, set, trained)) : data };
}

/** True if a trained model has an output for each target already. */
function fitsTargets(model: ResolvedModel["model"], targets: NonNullable<IndexedDataset["targets"]>): boolean {
  const wanted = Object.entries(targets);
  return (
    model.outputs.length === wanted.length &&
    model.outputs.every((output, place) => {
      const [name, { kind, shape }] = wanted[place]!;
      // The classes of a mask are checked with the data.
      if (kind === "mask") return output.shape.length === 4;
      return output.sourceLayer.name === name && output.shape.slice(1).join() === shape.join();
    })
  );
}

/** A resumed run needs its original classes: its model knows no others. */
function checkStoredClasses({ classes, plan }: ModelSettings, { train }: DataSplits<IndexedDataset>): void {
  if (classes !== undefined && !hasSameNames(classes, train.classes))
    throw new UsageError(
      `The run began with the classes ${listed(classes)}, but ${plan.data} has ${listed(train.classes)} now: a run goes on with its own data.`,
    );
}
