import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/**
 * Copies the weights out of the GPU before a writer reads them synchronously. WebGPU alone needs it: tfjs reads synchronously there by
 * drawing on a canvas, which is slow, and after which a software adapter of Chromium loses its device. tfjs keeps what was copied.
 */
export async function readAhead({ weights }: tfl.LayersModel): Promise<void> {
  if (tf.getBackend() !== "webgpu") return;
  await Promise.all(weights.map((variable) => (variable.read() as tf.Tensor).data()));
}
