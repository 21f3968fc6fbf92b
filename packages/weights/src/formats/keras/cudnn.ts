import type * as tfl from "@tensorflow/tfjs-layers";
import { computedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { sameShape } from "../../model/assign.ts";
import { weightName } from "../../model/weight-name.ts";

/**
 * The weights of Keras 2's CuDNNLSTM and CuDNNGRU as LSTM and GRU have them. cuDNN keeps the block of each gate
 * transposed, and two biases for each unit: LSTM takes their sum, GRU with `reset_after` both. Source: tf_keras,
 * `preprocess_weights_for_loading`, which tells the layers apart by the shape of the bias, too.
 */
export function fromCudnn(
  variables: readonly tfl.LayerVariable[],
  saved: readonly NamedTensor[],
): readonly NamedTensor[] {
  if (variables.length !== saved.length) return saved;
  const arranged = [...saved];
  for (const [index, variable] of variables.entries()) {
    const [kernel, recurrent, bias] = [arranged[index], arranged[index + 1], arranged[index + 2]];
    const recurrentShape = variables[index + 1]?.shape as number[] | undefined;
    const biasShape = variables[index + 2]?.shape as number[] | undefined;
    if (kernel === undefined || recurrent === undefined || bias === undefined || biasShape === undefined) continue;
    if (weightName(variables[index + 1]!) !== "recurrent_kernel") continue;
    const [units, width] = recurrentShape as [number, number];
    const gates = width / units;
    if (!sameShape(kernel.shape, variable.shape as number[]) || !sameShape(recurrent.shape, [units, width])) continue;
    // A single row of both biases: no other layer has twice as many numbers there.
    if (!sameShape(bias.shape, [2 * width])) continue;
    if (gates === 4 && sameShape(biasShape, [width])) arranged[index + 2] = summed(bias, width);
    else if (gates === 3 && sameShape(biasShape, [2, width])) arranged[index + 2] = { ...bias, shape: [2, width] };
    else continue;
    arranged[index] = transposedBlocks(kernel, gates);
    arranged[index + 1] = transposedBlocks(recurrent, gates);
  }
  return arranged;
}

/** A kernel `[inputs, gates * units]` whose blocks `[inputs, units]` cuDNN keeps as `[units, inputs]`. */
function transposedBlocks(kernel: NamedTensor, gates: number): NamedTensor {
  const [inputs, width] = kernel.shape as [number, number];
  const units = width / gates;
  const read = (): Float32Array<ArrayBuffer> => {
    const values = kernel.read();
    return Float32Array.from({ length: inputs * width }, (_, index) => {
      const [input, column] = [Math.floor(index / width), index % width];
      const [gate, unit] = [Math.floor(column / units), column % units];
      // The place in the block, read row by row as [units, inputs].
      const place = unit * inputs + input;
      return values[Math.floor(place / units) * width + gate * units + (place % units)]!;
    });
  };
  return computedTensor({ ...kernel, dtype: "float32", read });
}

function summed(bias: NamedTensor, width: number): NamedTensor {
  const read = (): Float32Array<ArrayBuffer> => {
    const values = bias.read();
    return Float32Array.from({ length: width }, (_, index) => values[index]! + values[width + index]!);
  };
  return computedTensor({ ...bias, shape: [width], dtype: "float32", read });
}
