import type * as tf from "@tensorflow/tfjs-core";
import { writeAtomically } from "../../src/bytes/atomic-file.ts";
import { memoryTensor } from "../../src/index.ts";
import type { TensorData } from "../../src/index.ts";
import { writeNpy } from "../../src/formats/npy.ts";

/** Writes `<base>.x.npy` and `<base>.y.npy` for a peer. */
export function writeArrays(base: string, x: tf.Tensor, y: tf.Tensor): void {
  for (const [part, tensor] of [
    ["x", x],
    ["y", y],
  ] as const) {
    const data = tensor.dataSync() as TensorData;
    writeAtomically(`${base}.${part}.npy`, (sink) => writeNpy(sink, memoryTensor(part, tensor.shape, data)));
  }
}
