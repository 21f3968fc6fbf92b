import type * as tf from "@tensorflow/tfjs-core";
import { writeFileSync } from "node:fs";
import { memoryTensor } from "../../src/bytes/named-tensor.ts";
import type { TensorData } from "../../src/index.ts";
import { writeNpy } from "../../src/formats/npy.ts";

/** Writes `<base>.x.npy` and `<base>.y.npy` for a peer. */
export function writeArrays(base: string, x: tf.Tensor, y: tf.Tensor): void {
  for (const [part, tensor] of [
    ["x", x],
    ["y", y],
  ] as const) {
    const data = tensor.dataSync() as TensorData;
    const parts: Uint8Array[] = [];
    writeNpy({ position: 0, write: (bytes) => parts.push(bytes) }, memoryTensor(part, tensor.shape, data));
    writeFileSync(`${base}.${part}.npy`, Buffer.concat(parts));
  }
}
