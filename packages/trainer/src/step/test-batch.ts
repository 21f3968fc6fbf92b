/** Pixels in a batch of validation images: enough that calls cost little, few enough for any memory. */
const testPixels = 1 << 20;

/** Images per validation batch: at least the training's batch, and more if images are small. */
export function testBatch(batch: number, [height, width]: readonly [number, number, number]): number {
  return Math.max(batch, Math.min(500, Math.floor(testPixels / (height * width))));
}
