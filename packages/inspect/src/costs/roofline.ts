import { checkEngine } from "@convkit/core/internal";
import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { ModelCosts } from "./costs.ts";

/** What a machine can do with the engine in use. */
export interface MachinePeaks {
  /** Multiply-adds a second, by a large matrix product. */
  readonly macsPerSecond: number;
  /** Bytes read and written a second, by a sum of large vectors. */
  readonly bytesPerSecond: number;
}

/** A layer's place under the roof. */
export interface RooflinePoint {
  readonly layer: string;
  /** Multiply-adds for each byte that the layer must move. */
  readonly intensity: number;
  readonly macsPerSecond: number;
  /** The most that this intensity allows: the machine's peak, or what its memory can feed. */
  readonly roof: number;
  readonly boundBy: "compute" | "memory";
}

/** Measures the machine with the engine in use; takes about a second. */
export async function machinePeaks(): Promise<MachinePeaks> {
  checkEngine("machinePeaks");
  const size = 512;
  const matrix = tf.randomUniform([size, size], -1, 1, "float32", 1);
  // Two vectors: of one added to itself, the second reading comes from the cache.
  const [left, right] = [2, 3].map((seed) => tf.randomUniform([2 ** 23], -1, 1, "float32", seed)) as [
    tf.Tensor,
    tf.Tensor,
  ];
  try {
    const product = await fastest(() => tf.matMul(matrix, matrix));
    const sum = await fastest(() => tf.add(left, right));
    return { macsPerSecond: size ** 3 / product, bytesPerSecond: (3 * 4 * left.size) / sum };
  } finally {
    tf.dispose([matrix, left, right]);
  }
}

/**
 * Where each layer with multiply-adds stands under the machine's roof. Williams et al. 2009, Roofline: an insightful visual
 * performance model. Throws an `OptionError` for costs without times.
 */
export function roofline({ layers, images }: ModelCosts, peaks: MachinePeaks): RooflinePoint[] {
  if (images === 0) throw new OptionError("roofline: expected costs with times, got none; give `images` to costs.");
  return layers.flatMap(({ layer, macs, movedBytes, seconds }): RooflinePoint[] => {
    if (macs === null || macs === 0 || movedBytes === null || !seconds) return [];
    const intensity = macs / movedBytes;
    const fed = intensity * peaks.bytesPerSecond;
    return [
      {
        layer,
        intensity,
        macsPerSecond: (images * macs) / seconds,
        roof: Math.min(peaks.macsPerSecond, fed),
        boundBy: fed < peaks.macsPerSecond ? "memory" : "compute",
      },
    ];
  });
}

/** Seconds of the fastest of several runs. */
async function fastest(compute: () => tf.Tensor): Promise<number> {
  let best = Infinity;
  for (let run = 0; run < 6; run++) {
    const start = performance.now();
    const element = tf.tidy(() => tf.slice(tf.reshape(compute(), [-1]), 0, 1));
    await element.data();
    element.dispose();
    if (run > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
