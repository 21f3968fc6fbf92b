import type { ModelMetadata, Preprocessing } from "@convkit/core/plain";
import { preprocessValues, valuesPreprocessor } from "@convkit/core/plain";
import type { Feed, Values } from "@convkit/graph";

import { PredictError } from "../predict-error.ts";
import type { PredictorDescription } from "../predictor-options.ts";
import { checkFeeds } from "../runtimes/check-feeds.ts";
import type { OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { Session } from "../runtimes/session.ts";

/** What is to be opened. */
export interface Opening {
  /** The inputs of the first call; missing where the model is opened before it. */
  readonly feeds?: readonly Feed[] | undefined;
  /** The part up to a layer, or up to the classifying layer; missing for the whole model. */
  readonly part?: { readonly layer?: string | undefined } | undefined;
  /** As in `SessionOptions`. */
  readonly spins?: boolean | undefined;
}

/** A model that is open in one runtime, with its preprocessing in front. */
export interface OpenedModel {
  readonly description: PredictorDescription;
  /** What the model carries; empty where it carries nothing. */
  readonly metadata: ModelMetadata;
  /** Names of its classes, where they are known. */
  readonly classes?: readonly string[] | undefined;
  /** Whether its first output holds logits; undefined where the scores must tell. */
  readonly logits?: boolean | undefined;
  /** Runs at once where that takes less than a thread costs; undefined where `run` must be called. */
  runNow(feeds: readonly Feed[]): Values[] | undefined;
  run(feeds: readonly Feed[]): Promise<Values[]>;
  dispose(): Promise<void>;
}

/** A session with the preprocessing in front. */
export function openedModel(
  session: Session,
  preprocessing: Preprocessing | undefined,
  { notes = [], ...rest }: Pick<PredictorDescription, "runtime" | "precision" | "trials"> & { notes?: string[] },
): OpenedModel {
  const { inputs, outputs, fromCache } = session;
  const preprocess = isEmpty(preprocessing) ? undefined : valuesPreprocessor(preprocessing!);
  const prepare = (feeds: readonly Feed[], own?: (index: number, size: number) => Float32Array): readonly Feed[] => {
    const all =
      preprocess === undefined
        ? feeds
        : feeds.map(({ data, shape }, index) => {
            return { data: preprocess(data, shape.at(-1) ?? 1, own?.(index, data.length)), shape };
          });
    checkFeeds(inputs, all);
    return all;
  };
  // A call at once leaves nothing behind, so that the next one may take its memory.
  const memory: (Float32Array | undefined)[] = [];
  const memoryOf = (index: number, size: number): Float32Array =>
    memory[index]?.length === size ? memory[index] : (memory[index] = new Float32Array(size));
  const prepareNow = (feeds: readonly Feed[]): readonly Feed[] => prepare(feeds, memoryOf);
  return {
    description: { ...rest, inputs, outputs, notes, ...(fromCache !== undefined && { fromCache }) },
    metadata: {},
    runNow: (feeds) => session.runNow?.(feeds, prepareNow),
    run: async (feeds) => session.run(prepare(feeds)),
    dispose: () => session.dispose(),
  };
}

/** The feed after preprocessing. */
export function prepared(feed: Feed, preprocessing: Preprocessing | undefined): Feed {
  if (isEmpty(preprocessing)) return feed;
  return { data: preprocessValues(feed.data, feed.shape.at(-1) ?? 1, preprocessing!), shape: feed.shape };
}

function isEmpty(preprocessing: Preprocessing | undefined): boolean {
  return preprocessing === undefined || Object.keys(preprocessing).length === 0;
}

/** Why the one runtime that was asked for cannot be used, and what to do. */
export function refusal(runtime: OnnxRuntimeName, reason = "it cannot be used"): PredictError {
  const fix = runtime === "openvino" ? "convkit engine install --predict" : "npm install onnxruntime-node";
  const how =
    reason === "it is not installed" ? `: "${fix}" installs it` : "; leave the runtime out, or choose another";
  return new PredictError(`The runtime ${runtime} cannot predict with this model: ${reason}${how}.`);
}
