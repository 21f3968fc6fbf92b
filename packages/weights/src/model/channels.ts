import type * as tfl from "@tensorflow/tfjs-layers";
import { computedTensor } from "../bytes/named-tensor.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { modelLayers } from "./model-layers.ts";

/** The first convolution of a model: its kernel, and PyTorch's name and shape of it. */
export interface Stem {
  readonly torchName: string;
  readonly torchShape: readonly number[];
}

/** The kernel of the first convolution, if it takes the model's input channels. */
export function stemKernel(model: tfl.LayersModel): tfl.LayerVariable | undefined {
  const channels = model.inputs[0]?.shape.at(-1);
  const [kernel] = modelLayers(model)
    .flatMap(({ weights }) => weights)
    .filter(({ shape }) => shape.length === 4);
  return kernel !== undefined && kernel.shape[2] === channels ? kernel : undefined;
}

/** The stem among the weights that PyTorch would have. */
export function stemOf(
  model: tfl.LayersModel,
  weights: readonly (Stem & { readonly variable: tfl.LayerVariable })[],
): Stem | undefined {
  const kernel = stemKernel(model);
  return weights.find(({ variable }) => variable === kernel);
}

/** Whether the tensor is a stem's kernel of other input channels, on this axis. */
function differsInChannels(tensor: NamedTensor, own: readonly number[], axis: number): boolean {
  const others = (shape: readonly number[]): string => String(shape.toSpliced(axis, 1));
  const isKernel = tensor.shape.length === own.length && others(tensor.shape) === others(own);
  return isKernel && tensor.shape[axis] !== own[axis];
}

/** The stem's kernel for the model's channels if that is asked for; other tensors as they are. */
export function adaptedStem(
  tensor: NamedTensor,
  stem: Stem | undefined,
  channels: "adapt" | undefined,
  name: string = tensor.name,
): NamedTensor {
  // Without names, the stem is the one kernel whose shape differs in its channels alone.
  const isStem = name === stem?.torchName || (tensor.shape[1] === 3 && tensor.shape.length === 4);
  if (channels === undefined || stem === undefined || !isStem) return tensor;
  return differsInChannels(tensor, stem.torchShape, 1) ? adapted(tensor, 1, stem.torchShape) : tensor;
}

/** The same for a file in Keras' order. */
export function adaptedKernel(
  model: tfl.LayersModel,
  variable: tfl.LayerVariable,
  tensor: NamedTensor,
  channels: "adapt" | undefined,
): NamedTensor {
  if (channels === undefined || variable !== stemKernel(model)) return tensor;
  const own = variable.shape as number[];
  return differsInChannels(tensor, own, 2) ? adapted(tensor, 2, own) : tensor;
}

const hint = '; to sum or repeat the channels of the first convolution, as timm does, give channels: "adapt"';

/** What to do if a kernel of a file in Keras' order differs in its channels, as the end of a message. */
export function kernelHint(model: tfl.LayersModel, variable: tfl.LayerVariable, tensor: NamedTensor): string {
  const isStem = variable.shape.length === 4 && variable === stemKernel(model);
  return isStem && differsInChannels(tensor, variable.shape as number[], 2) ? hint : "";
}

/** What to do if the stem's channels differ, as the end of a message. */
export function channelsHint(tensor: NamedTensor, stem: Stem | undefined, name: string): string {
  if (name !== stem?.torchName || !differsInChannels(tensor, stem.torchShape, 1)) return "";
  return hint;
}

/**
 * A kernel for another number of input channels: the sum over all of them for one, the repeated and scaled ones for
 * others. Source: timm/models/_manipulate.py, adapt_input_conv.
 */
function adapted(tensor: NamedTensor, axis: number, shape: readonly number[]): NamedTensor {
  const [from, to] = [tensor.shape[axis]!, shape[axis]!];
  const size = (sizes: readonly number[]): number => sizes.reduce((all, length) => all * length, 1);
  const [outer, inner] = [size(shape.slice(0, axis)), size(shape.slice(axis + 1))];
  return computedTensor({
    name: tensor.name,
    shape,
    dtype: "float32",
    place: tensor.place,
    read: () => channelValues(tensor.read(), { outer, from, to, inner }),
  });
}

/** The values of a kernel for `to` channels in place of `from`. `[outer, from, inner] -> [outer, to, inner]` */
export function channelValues(
  values: ArrayLike<number>,
  { outer, from, to, inner }: Readonly<Record<"outer" | "from" | "to" | "inner", number>>,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(outer * to * inner);
  for (let i = 0; i < outer; i++)
    for (let channel = 0; channel < (to === 1 ? from : to); channel++)
      for (let j = 0; j < inner; j++) {
        const value = values[(i * from + (channel % from)) * inner + j]!;
        out[(i * to + (to === 1 ? 0 : channel)) * inner + j]! += to === 1 ? value : (value * from) / to;
      }
  return out;
}
