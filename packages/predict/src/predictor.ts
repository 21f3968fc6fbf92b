import { checkOptions, OptionError, shown, type OptionNames } from "@convkit/errors";
import type { Feed, Values } from "@convkit/graph";
import { openSource } from "@convkit/predict/platform";

import { lazyModel, type LazyModel } from "./lazy-model.ts";
import { PredictError } from "./predict-error.ts";
import { checkPredictorOptions, type PredictorDescription, type PredictorOptions } from "./predictor-options.ts";
import type { OpenedModel, Opening } from "./sources/opened-model.ts";
import { openable, type PredictorSource } from "./sources/predictor-source.ts";

/** Options of `features`. */
export interface FeaturesOptions {
  /** The layer whose output is given; by default what the classifying layer takes. */
  readonly layer?: string | undefined;
}

const featuresNames: OptionNames<FeaturesOptions> = { layer: true };

/** A model that is ready to predict. */
export interface Predictor {
  /** `[n, h, w, c] -> [n, …]`: the model's first output in inference mode. Calls may overlap. Rejects with an `OptionError` other arrays than those of `Feed`. */
  predict(images: Feed): Promise<Values>;
  /** `predict` for models of several inputs or outputs: one feed an input, in the model's order; all outputs. */
  predictAll(inputs: readonly Feed[]): Promise<Values[]>;
  /**
   * What the classifying layer takes, or the output of a named layer: `[n, h, w, c] -> [n, features]` or `[n, h', w', c']`. The part of
   * the model up to that layer is opened at the first call, beside the model.
   */
  features(images: Feed, options?: FeaturesOptions): Promise<Values>;
  /** Opens the model before the first prediction, and says how it computes, its inputs and its outputs. */
  ready(): Promise<PredictorDescription>;
  /** How it computes; `undefined` before `ready` or the first prediction. */
  describe(): PredictorDescription | undefined;
  /** Waits for the predictions on their way and frees what was opened, loaded or compiled, but not a model that was given. */
  dispose(): Promise<void>;
}

/**
 * Makes a model ready to predict: a tfjs layers model, the path of a model or of a run directory, or the bytes of an ONNX file, also
 * as a `Blob`. The model is opened, or compiled, at the first prediction or by `ready`; any batch size may follow.
 *
 * Throws `OptionError` for unknown options. A prediction rejects with a `PredictError` where the runtime is not installed, cannot run
 * the model, or does not give the model's own numbers, and with a `WeightsError` where a file cannot be read.
 */
export function predictor(model: PredictorSource, options: PredictorOptions = {}): Predictor {
  return openablePredictor("predictor", model, options).predictor;
}

/** A predictor, and the model that it opens; a server's threads do not spin. */
export function openablePredictor(
  where: string,
  source: PredictorSource,
  options: PredictorOptions,
  { spins }: Pick<Opening, "spins"> = {},
): { readonly predictor: Predictor; open(): Promise<OpenedModel> } {
  checkPredictorOptions(where, source, options);
  const lazy = (part?: { readonly layer: string | undefined }): LazyModel =>
    lazyModel(async (feeds) => openSource(await openable(source), options, { feeds, part, spins }));
  const whole = lazy();
  const parts = new Map<string | undefined, LazyModel>();
  let disposing: Promise<void> | undefined;

  const check = (inputs: readonly Feed[]): void => {
    if (disposing !== undefined) throw new PredictError("The predictor is disposed of already.");
    if (!Array.isArray(inputs))
      throw new OptionError(`predictAll: expected a list of { data, shape }, one an input, got ${shown(inputs)}.`);
    inputs.forEach(checkFeed);
  };
  // A call that takes microseconds must not wait for the next turn of the event loop: no await before `runNow`.
  async function predictAll(inputs: readonly Feed[]): Promise<Values[]> {
    check(inputs);
    return whole.opened?.runNow(inputs) ?? whole.run(inputs);
  }

  return {
    open: () => whole.open(),
    predictor: {
      async predict(images) {
        const inputs = [images];
        check(inputs);
        return (whole.opened?.runNow(inputs) ?? (await whole.run(inputs)))[0]!;
      },
      predictAll,
      async features(images, given = {}) {
        checkOptions("features", given, featuresNames);
        const { layer } = given;
        if (layer !== undefined && typeof layer !== "string")
          throw new OptionError(`features: expected layer to be the name of a layer, got ${shown(layer)}.`);
        check([images]);
        const part = parts.get(layer) ?? lazy({ layer });
        parts.set(layer, part);
        return (await part.run([images]))[0]!;
      },
      ready: async () => {
        check([]);
        return (await whole.open()).description;
      },
      describe: () => whole.opened?.description,
      dispose: () =>
        (disposing ??= Promise.all([whole, ...parts.values()].map((each) => each.close())).then(() => undefined)),
    },
  };
}

/** The arrays that all runtimes take alike. */
const arrays: readonly string[] = ["Float32Array", "Int32Array", "Uint8Array", "Uint8ClampedArray"];

function checkFeed(feed: Feed, index: number): void {
  const { data, shape } = (feed ?? {}) as Partial<Feed>;
  const isFeed = ArrayBuffer.isView(data) && Array.isArray(shape) && shape.every((size) => Number.isInteger(size));
  if (isFeed && !arrays.includes(data[Symbol.toStringTag]))
    throw new OptionError(
      `predict: expected data to be a Float32Array, an Int32Array or a Uint8Array, got a ${data[Symbol.toStringTag]} (input ${index}).`,
    );
  if (isFeed && data.length === shape.reduce((product, size) => product * size, 1)) return;
  const got = isFeed ? `${data.length} values for the shape ${shape.join("x")}` : shown(feed);
  throw new OptionError(
    `predict: expected { data, shape } with as many values as the shape has, got ${got} (input ${index}).`,
  );
}
