import { type ImageFit, type ModelMetadata, setModelMetadata } from "@convkit/core";
import type { IndexedDataset } from "@convkit/datasets";
import { findArchitecture, isModelName } from "@convkit/models";
import {
  evaluate,
  type EvaluateOptions,
  evaluateTasks,
  type EvaluateTasksOptions,
  type Evaluation,
  type TaskEvaluation,
} from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { imageShape } from "../inputs/image-shape.ts";
import { matchModelClasses } from "../inputs/model-classes.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { inputOf, type ResolvedModel, resolveModel } from "../inputs/model-source.ts";
import { type StoredRun, storedRun } from "../inputs/run-directory.ts";
import { openSavedModel, runsAsGraph } from "../inputs/saved-model.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";
import { evaluateSaved } from "./evaluate-saved-model.ts";

type How = Omit<EvaluateOptions, "preprocessing">;
type TaskHow = Omit<EvaluateTasksOptions, "preprocessing" | "loss" | "lossWeights">;

/** The model to evaluate: the images that it takes, and how it is evaluated. */
export interface Subject {
  readonly image: [number, number, number];
  /** How image files are decoded to that size. */
  readonly fit: ImageFit;
  /** The run, if `<model>` is a run directory. */
  readonly run?: StoredRun | undefined;
  /** The images with the model's own labels; throws if the model does not know one of their classes. */
  matched(data: IndexedDataset): IndexedDataset;
  judge(data: IndexedDataset, how: How): Promise<Evaluation>;
  /** Evaluates on labels or numbers; missing for a model that tells classes only. */
  judgeTasks?(data: IndexedDataset, how: TaskHow): Promise<TaskEvaluation>;
  /** Writes the model with more metadata; missing where `judgeTasks` is. */
  writeWith?(path: string, metadata: ModelMetadata): Promise<void>;
}

/** Opens a SavedModel, a network of the zoo with as many classes as the data, or a model that has its own classes. */
export async function openSubject(context: Context, name: string, options: ModelOptions): Promise<Subject> {
  const { seed } = context.options;
  const tell = (note: string): void => context.out.note(note);
  if (await runsAsGraph(context, name)) return savedSubject(context, name, options);
  if (isModelName(name))
    return {
      image: options.input ?? ([...findArchitecture(name).input] as [number, number, number]),
      fit: {},
      matched(data) {
        if (options.weights === undefined)
          context.out.note(
            `${name} has random weights: this is its accuracy before any training. Give --weights for trained ones.`,
          );
        return data;
      },
      judge: async (data, how) =>
        judged(
          await resolveModel(name, { ...options, classes: options.classes ?? data.classes.length }, seed, tell),
          data,
          how,
        ),
    };
  const resolved = await resolveModel(name, options, seed, tell);
  return {
    image: inputOf(resolved.model, resolved.images),
    fit: resolved.images,
    run: await storedRun(userPath(name)),
    matched: (data) => matchModelClasses(context.out, data, { name, classes: resolved.classes }),
    judge: (data, how) => judged(resolved, data, how),
    async judgeTasks(data, how) {
      const { loss, lossWeights, metrics } = (await storedRun(userPath(name)))?.plan ?? {};
      const { preprocessing } = resolved;
      return evaluateTasks(resolved.model, data, {
        loss,
        lossWeights,
        preprocessing,
        ...how,
        metrics: how.metrics ?? metrics,
      });
    },
    async writeWith(path, metadata) {
      const { saveModel } = await import("@convkit/weights");
      await saveModel(setModelMetadata(resolved.model, metadata), path);
    },
  };
}

async function savedSubject(context: Context, name: string, options: ModelOptions): Promise<Subject> {
  const network = await openSavedModel(context, name, options);
  const { classes, images = {} } = network.metadata;
  return {
    image: imageShape(name, network.input, images),
    fit: images,
    matched: (data) => matchModelClasses(context.out, data, { name, classes }),
    async judge(data, how) {
      try {
        if (how.runtime !== undefined)
          throw new UsageError(`${name} runs in TensorFlow as it is stored: leave --runtime out.`);
        return await evaluateSaved(name, network, data, how);
      } finally {
        await network.dispose();
      }
    },
  };
}

async function judged({ model, preprocessing }: ResolvedModel, data: IndexedDataset, how: How): Promise<Evaluation> {
  const { mistakes: _mistakes, ...result } = await evaluate(model, data, { ...how, preprocessing });
  return result;
}
