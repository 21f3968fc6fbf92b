import { checkOptions } from "@convkit/errors";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { openWeights } from "../load/open-weights.ts";
import type { WeightsFile } from "../load/weights-file.ts";
import { containerOf } from "../save/container.ts";
import type { WeightsContainer } from "../save/container.ts";
import { writeWeights } from "../save/write-weights.ts";
import type { WriteWeightsReport } from "../save/write-weights.ts";
import { WeightsError } from "../weights-error.ts";

export interface ConvertWeightsOptions {
  /** The container to write; by default the one that the path's ending names. */
  readonly format?: WeightsContainer | undefined;
  /**
   * Which weights of a PyTorch checkpoint, by the keys that lead to them: "model_ema". By default the state dict
   * under a usual key such as "state_dict" or "model", else the whole file.
   */
  readonly state?: string | undefined;
}

export interface ConvertWeightsReport extends WriteWeightsReport {
  /** What was chosen or left out, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Copies the weights of a file of any format to another container, with no network: names, types and bytes stay.
 * `convertWeights("a.pth", "a.safetensors")`. Tensors of Keras' files have their path in the file as name. Throws
 * `WeightsError` for a type or name that the container cannot hold.
 */
export async function convertWeights(
  from: string,
  to: string,
  options: ConvertWeightsOptions = {},
): Promise<ConvertWeightsReport> {
  checkOptions("convertWeights", options, { format: true, state: true });
  const { format = containerOf(to), state } = options;
  const file = await openWeights(from, { state });
  try {
    if (file.layers !== undefined && format === "hdf5")
      throw new WeightsError(
        from,
        "",
        "is a file of Keras already: name the network to write it as another kind of .h5",
      );
    const metadata = format === "safetensors" ? file.metadata : undefined;
    const report = await writeWeights(to, containerTensors(file), { format, metadata });
    return { ...report, notes: file.notes };
  } finally {
    file.close();
  }
}

/** The tensors under names that are unique in the file. */
export function containerTensors({ tensors }: WeightsFile): NamedTensor[] {
  return tensors.map((tensor) => (tensor.path === undefined ? tensor : { ...tensor, name: tensor.path }));
}
