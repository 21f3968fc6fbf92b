/** Numbers of a convolution with and without a 1x1 convolution before it that narrows the channels. */
export interface BottleneckCost {
  direct: { params: number; macs: number };
  bottleneck: { params: number; macs: number };
  /** How many times fewer multiply-adds the bottleneck needs. */
  saving: number;
}

/**
 * What a 1x1 bottleneck saves, for a map of `size` x `size` pixels with unchanged height and width, biases included in params:
 * 28x28x192 through 5x5 to 32 channels is 120.4 M multiply-adds, with 16 channels between them 12.4 M.
 * Szegedy et al. 2014, https://arxiv.org/abs/1409.4842
 */
export function bottleneckCost({
  size,
  channels,
  kernel,
  filters,
  reduced,
}: {
  size: number;
  channels: number;
  kernel: number;
  filters: number;
  reduced: number;
}): BottleneckCost {
  const cost = (from: number, window: number, to: number): { params: number; macs: number } => ({
    params: window * window * from * to + to,
    macs: size * size * window * window * from * to,
  });
  const direct = cost(channels, kernel, filters);
  const [narrow, wide] = [cost(channels, 1, reduced), cost(reduced, kernel, filters)];
  const bottleneck = { params: narrow.params + wide.params, macs: narrow.macs + wide.macs };
  return { direct, bottleneck, saving: direct.macs / bottleneck.macs };
}
