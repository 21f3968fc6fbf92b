import { checkOptions } from "@convkit/errors";
import { checkWhole } from "../layers/check-values.ts";

/** Cost of a convolution with and without a preceding 1x1 convolution that reduces the channels. */
export interface BottleneckCost {
  readonly direct: { readonly params: number; readonly macs: number };
  readonly bottleneck: { readonly params: number; readonly macs: number };
  /** Multiply-adds of the direct convolution divided by those with the bottleneck. */
  readonly saving: number;
}

export interface BottleneckSizes {
  /** Height and width of the map, in pixels. */
  readonly size: number;
  /** Channels of the map. */
  readonly channels: number;
  /** Height and width of the kernel. */
  readonly kernel: number;
  readonly filters: number;
  /** Channels after the 1x1 convolution. */
  readonly reduced: number;
}

/**
 * Weights and multiply-adds with and without a 1x1 bottleneck, for a map of `size` x `size` pixels with unchanged height and width, biases included in params:
 * 28x28x192 through 5x5 to 32 channels is 120.4 M multiply-adds, with 16 channels between them 12.4 M.
 * Szegedy et al. 2014, https://arxiv.org/abs/1409.4842
 */
export function bottleneckCost(sizes: BottleneckSizes): BottleneckCost {
  checkOptions("bottleneckCost", sizes, { size: true, channels: true, kernel: true, filters: true, reduced: true });
  for (const name of ["size", "channels", "kernel", "filters", "reduced"] as const)
    checkWhole("bottleneckCost", name, sizes?.[name], 1);
  const { size, channels, kernel, filters, reduced } = sizes;
  const cost = (from: number, window: number, to: number): { params: number; macs: number } => ({
    params: window * window * from * to + to,
    macs: size * size * window * window * from * to,
  });
  const direct = cost(channels, kernel, filters);
  const [narrow, wide] = [cost(channels, 1, reduced), cost(reduced, kernel, filters)];
  const bottleneck = { params: narrow.params + wide.params, macs: narrow.macs + wide.macs };
  return { direct, bottleneck, saving: direct.macs / bottleneck.macs };
}
