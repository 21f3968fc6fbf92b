type Pair = readonly [number, number];

/** The windows of a locally connected layer over an image. */
export interface LocalWindows {
  readonly input: Pair;
  readonly output: Pair;
  readonly size: Pair;
  readonly strides: Pair;
  /** Rows and columns of the first window before the image. */
  readonly before: Pair;
  readonly channels: number;
  readonly filters: number;
  /** Whether Keras counts the inputs and outputs with their channels first. */
  readonly channelsFirst: boolean;
}

/**
 * Where the kernel of each place is in the numbers of Keras' kernel, in the order `[place, row, column, channel,
 * filter]`, and how many numbers it has. That count, as an index, stands for what a window has outside of the image. Keras' kernel is a matrix
 * of all inputs by all outputs (implementation 2), or its numbers that belong to windows, output by output
 * (implementation 3). Source: tf_keras/src/layers/locally_connected and tf_keras/src/utils/conv_utils.py,
 * conv_kernel_idxs.
 */
export function kernelPlaces(
  windows: LocalWindows,
  implementation: 2 | 3,
): { readonly places: Int32Array; readonly count: number } {
  const { input, output, size, strides, before, channels, filters, channelsFirst } = windows;
  const [inSize, outSize] = [input[0] * input[1], output[0] * output[1]];
  /** The number of an input or output among all. */
  const flat = (place: number, places: number, channel: number, count: number): number =>
    channelsFirst ? channel * places + place : place * count + channel;
  const windowOf = (place: number): (number | undefined)[] => {
    const [top, left] = [
      Math.floor(place / output[1]) * strides[0] - before[0],
      (place % output[1]) * strides[1] - before[1],
    ];
    return Array.from({ length: size[0] * size[1] }, (_, tap) => {
      const [row, column] = [top + Math.floor(tap / size[1]), left + (tap % size[1])];
      const isInside = row >= 0 && row < input[0] && column >= 0 && column < input[1];
      return isInside ? row * input[1] + column : undefined;
    });
  };
  const all = Array.from({ length: outSize }, (_, place) => windowOf(place));
  // Implementation 3 has the numbers of the first output, in the order of its inputs, then those of the next.
  const counts = all.map((taps) => taps.filter((tap) => tap !== undefined).length * channels);
  const starts: number[] = [];
  let sum = 0;
  for (const own of counts) {
    starts.push(sum);
    sum += own;
  }
  const count = implementation === 2 ? inSize * channels * outSize * filters : sum * filters;
  const places = new Int32Array(outSize * size[0] * size[1] * channels * filters);
  let at = 0;
  for (const [place, taps] of all.entries()) {
    const inside = taps.filter((tap) => tap !== undefined);
    for (const tap of taps) {
      const rank = tap === undefined ? 0 : inside.indexOf(tap);
      for (let channel = 0; channel < channels; channel++) {
        for (let filter = 0; filter < filters; filter++) {
          if (tap === undefined) places[at++] = count;
          else if (implementation === 2)
            places[at++] =
              flat(tap, inSize, channel, channels) * outSize * filters + flat(place, outSize, filter, filters);
          else {
            const first = channelsFirst
              ? filter * sum + starts[place]!
              : starts[place]! * filters + filter * counts[place]!;
            places[at++] = first + flat(rank, inside.length, channel, channels);
          }
        }
      }
    }
  }
  return { places, count };
}
