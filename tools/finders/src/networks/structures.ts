import type { Result, Results } from "./results.ts";

/** A network of torchvision or timm: its family, and a hash of the sizes of its kernels. */
export interface Structure {
  readonly family: string;
  readonly kernels: string;
}

/**
 * The networks whose rivals, ours with the same kernels, are others than before, and torchvision's that were never compared as .onnx
 * files. They are to be compared again.
 */
export function changedStructures(
  known: Results,
  peers: Readonly<Record<string, Structure>>,
  own: ReadonlyMap<string, readonly string[]>,
): Results {
  const results: Record<string, Result> = {};
  for (const [network, { family, kernels }] of Object.entries(peers)) {
    const rivals = own.get(kernels);
    const before = known[network];
    if (before !== undefined && String(before.rivals) === String(rivals)) continue;
    results[network] = rivals === undefined ? { family, state: "none" } : { family, state: "alike", rivals };
    // timm's networks are compared by their states alone.
    if (!network.startsWith("torchvision:")) continue;
    const asOnnx = network.replace("torchvision:", "torchvision-onnx:");
    if (known[asOnnx] === undefined) results[asOnnx] = { family, state: "alike" };
  }
  return results;
}
