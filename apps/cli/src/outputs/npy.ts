import { openWeights } from "@convkit/weights";
import { CliError } from "../terminal/usage-error.ts";

/** A float32 array in C order. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Reads NumPy's .npy and converts it to float32. Throws with the file name and the reason if it cannot. */
export async function readNpy(path: string): Promise<NumpyArray> {
  const file = await openWeights(path);
  try {
    const [array] = file.tensors;
    if (file.format !== "npy" || array === undefined)
      throw new CliError(`${path} must be a NumPy .npy file but is ${file.format}.`);
    return { shape: array.shape, data: Float32Array.from(array.read()) };
  } finally {
    file.close();
  }
}
