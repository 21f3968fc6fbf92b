import { type IndexedDataset, maskPixels } from "@convkit/datasets";
import { findArchitecture, isModelName } from "@convkit/models";
import { balancedClassWeights, type Plan, type TrainOptions } from "@convkit/trainer";
import { weightsOfCounts } from "@convkit/trainer/internal";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** The options of `train` that say what is minimized. */
export type Objective = Pick<TrainOptions, "loss" | "lossWeights" | "outputWeights" | "classWeights">;

/** What a plan minimizes: the loss, and the factors of outputs and of classes. */
export async function planObjective(plan: Plan, model: LayersModel, train: IndexedDataset): Promise<Objective> {
  const { loss, lossWeights, outputWeights, classWeights } = plan;
  const usual = train.targets === undefined ? outputWeightsOf(plan.model, model.outputs.length) : undefined;
  return {
    ...(lossWeights ? { lossWeights } : { outputWeights: outputWeights ?? usual }),
    ...(loss && { loss }),
    ...(classWeights && { classWeights: await classWeightsOf(classWeights, train) }),
  };
}

async function classWeightsOf(
  weights: NonNullable<Plan["classWeights"]>,
  train: IndexedDataset,
): Promise<readonly number[]> {
  if (weights !== "balanced") return weights;
  const [name] = Object.entries(train.targets ?? {}).find(([, { kind }]) => kind === "mask") ?? [];
  return name === undefined
    ? balancedClassWeights(train.labels, train.classes.length)
    : weightsOfCounts(await maskPixels(train, name));
}

/** The main output's loss has factor 1; auxiliary outputs have the factor of the network's paper. */
function outputWeightsOf(model: string, outputs: number): number[] {
  const auxLossWeight = (isModelName(model) ? findArchitecture(model).auxLossWeight : undefined) ?? 1;
  return Array.from({ length: outputs }, (_, index) => (index === 0 ? 1 : auxLossWeight));
}
