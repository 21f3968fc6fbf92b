import type { Feed } from "@convkit/graph";

import { holdsWholeNumbers } from "../runtimes/check-feeds.ts";
import type { Port } from "../runtimes/session.ts";

/**
 * One row for each input, to open a model with before its first call: pixels from 0 to 255 in images, 1 elsewhere, 0 for whole numbers.
 * An unknown size is that of the model's images, else 224, and 1 outside of images.
 */
export function sampleFeeds(inputs: readonly Port[], size: readonly [number, number] = [224, 224]): Feed[] {
  return inputs.map((port) => {
    const isImage = port.shape.length === 4;
    const shape = port.shape.map((each, axis) => {
      if (each !== null) return each;
      return isImage && (axis === 1 || axis === 2) ? size[axis - 1]! : 1;
    });
    const data = new Float32Array(shape.reduce((product, each) => product * each, 1));
    if (!holdsWholeNumbers(port))
      for (let i = 0; i < data.length; i++) data[i] = isImage ? (i * 131 + (i >> 5) * 17) % 256 : 1;
    return { data, shape };
  });
}
