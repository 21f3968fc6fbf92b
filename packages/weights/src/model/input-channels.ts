import { modelMetadata, preprocessingFor, setModelMetadata } from "@convkit/core";
import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { registerImportLayers } from "../layers/register.ts";
import { channelValues, stemKernel } from "./channels.ts";
import { modelLayers } from "./model-layers.ts";
import { topologyJson } from "./topology-json.ts";

/** The parts of a model's configuration that change. */
interface Topology {
  readonly config: { readonly layers: readonly { readonly config: { batch_input_shape?: (number | null)[] } }[] };
}

/**
 * A copy of a model of one input for images of another number of channels: the kernel of its first convolution is the sum over the
 * channels for one, and repeated and scaled for others (timm's `adapt_input_conv`); all other weights are copied, and the preprocessing
 * is that of the channels. Throws an `OptionError` if anything but that kernel depends on the channels.
 */
export async function withInputChannels(model: tfl.LayersModel, channels: number): Promise<tfl.LayersModel> {
  const [input, ...others] = model.inputs;
  const from = input?.shape.at(-1);
  const stem = stemKernel(model);
  if (!Number.isInteger(channels) || channels < 1)
    throw new OptionError(`${model.name}: expected a whole number of channels from 1 on, got ${shown(channels)}.`);
  if (others.length > 0 || input?.shape.length !== 4 || from == null || stem === undefined)
    throw new OptionError(
      `${model.name}: expected a model of one input whose images a convolution takes first, to give it ${channels} channels.`,
    );
  if (from === channels) return model;
  registerImportLayers();
  // A copy, whose input has other channels.
  const topology = topologyJson(model) as Topology;
  for (const { config } of topology.config.layers)
    if (config.batch_input_shape?.length === 4 && config.batch_input_shape[3] === from)
      config.batch_input_shape = [...config.batch_input_shape.slice(0, 3), channels];
  const made = await tfl.models.modelFromJSON(topology as never).catch((error: unknown) => {
    throw new OptionError(`${model.name} cannot take ${channels} channels: ${(error as Error).message}`, {
      cause: error,
    });
  });
  const [old, fresh] = [variablesOf(model), variablesOf(made)];
  const bad = fresh.find(
    (variable, place) => old[place] !== stem && String(variable.shape) !== String(old[place]!.shape),
  );
  if (bad !== undefined) {
    made.dispose();
    throw new OptionError(
      `${model.name} cannot take ${channels} channels: ${bad.originalName} depends on them, and only the first convolution is adapted.`,
    );
  }
  for (const [place, variable] of fresh.entries()) {
    const before = old[place]!;
    if (before !== stem) {
      variable.write(before.read());
      continue;
    }
    const [height, width, , filters] = before.shape as [number, number, number, number];
    const values = (await before.read().data()) as Float32Array;
    const sizes = { outer: height * width, from, to: channels, inner: filters };
    const kernel = tf.tensor(channelValues(values, sizes), [height, width, channels, filters]);
    variable.write(kernel);
    kernel.dispose();
  }
  const { preprocessing, ...metadata } = modelMetadata(model);
  return setModelMetadata(made, {
    ...metadata,
    ...(preprocessing && { preprocessing: preprocessingFor(preprocessing, channels) }),
  });
}

/** The variables of all layers in the order of the layers, which freezing does not change. */
function variablesOf(model: tfl.LayersModel): tfl.LayerVariable[] {
  return modelLayers(model).flatMap(({ weights }) => weights);
}
