/** Pixels that a batch of validation images may have: enough that calls cost little, few enough for any memory. */
const testPixels = 1 << 20;

/** How many images to test at once: at least the training's batch, and more where images are small. */
export function testBatch(batch: number, [height, width]: readonly [number, number, number]): number {
  return Math.max(batch, Math.min(500, Math.floor(testPixels / (height * width))));
}
