import { checkOptions, checkValues, OptionError, trueOrFalse } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkLoading, loadWeightsNames } from "../load/keras-layers.ts";
import type { LoadWeightsOptions } from "../load/keras-layers.ts";
import { loadModel, loadWeights } from "../load/load-model.ts";
import { checkSaving, formatOf, saveModel, saveNames } from "../save/save-model.ts";
import type { SaveOptions, SaveReport } from "../save/save-model.ts";
import { readyToVerify, verifySaved } from "./verify.ts";
import type { WeightRow } from "./verify.ts";
import { WeightsError } from "../weights-error.ts";

export interface ConvertOptions extends SaveOptions, LoadWeightsOptions {
  /**
   * The network for a file of weights alone; by default the file's own architecture. Its weights are overwritten with
   * the file's.
   */
  readonly model?: tfl.LayersModel | undefined;
  /**
   * Reads the result back and compares it with the original, weight by weight and over a probe input; false by
   * default.
   */
  readonly verify?: boolean | undefined;
}

const convertNames: OptionNames<ConvertOptions> = { ...saveNames, ...loadWeightsNames, model: true, verify: true };

export interface ConvertReport extends SaveReport {
  readonly weights: readonly WeightRow[];
  /** With `verify`: the worst difference of the outputs over the probe input. */
  readonly worst?: number;
  /** With `verify`: the worst difference of the logits, relative to the largest logit. */
  readonly relative?: number;
  /** With `verify`: whether `relative` is at most 1e-3. */
  readonly holds?: boolean;
}

/**
 * Reads a model and writes it in another format: `convert("a.h5", "b.onnx")`. Weights alone (`.safetensors`, `.pth`,
 * `.weights.h5`) need `model`, the network that they belong to; without `from` the given model is written.
 */
export async function convert(
  from: string | undefined,
  to: string,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  checkOptions("convert", options, convertNames);
  checkSaving("convert", options);
  checkLoading("convert", options);
  checkValues("convert", options, { verify: trueOrFalse });
  const { model: given, verify = false, by, ignore, channels, published, state, onNote, ...saving } = options;
  const ofWeights = { by, ignore, channels, published, state };
  const idle = Object.entries(ofWeights).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (idle.length > 0 && (given === undefined || from === undefined)) {
    throw new OptionError(
      `convert: expected ${idle.join(", ")} only with a file of weights and model, the network that they belong to, got ${from === undefined ? "no file" : "no model"}.`,
    );
  }
  if (verify) await readyToVerify({ path: to, format: saving.format ?? formatOf(to) });
  const model = await source(from, to, given, { ...ofWeights, onNote });
  try {
    const report = await saveModel(model, to, saving);
    const weights = model.weights.map(({ originalName: name, shape }): WeightRow => ({ name, shape }));
    return verify ? { ...report, ...(await verifySaved(model, report)) } : { ...report, weights };
  } finally {
    if (given === undefined) model.dispose();
  }
}

async function source(
  from: string | undefined,
  to: string,
  given: tfl.LayersModel | undefined,
  options: LoadWeightsOptions,
): Promise<tfl.LayersModel> {
  if (from === undefined && given === undefined)
    throw new WeightsError(to, "", "there is nothing to write: expected a file or a model");
  if (given === undefined) return loadModel(from!, { onNote: options.onNote });
  if (from !== undefined) await loadWeights(given, from, options);
  return given;
}
