import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../src/index.ts";
import { type OnnxCase, onnxCases, onnxKinds, worstDifference } from "./onnx-cases.ts";

/** tfjs' CPU backend as WebGPU in Node: while files are read, values come asynchronously only. */
class AsynchronousBackend extends MathBackendCPU {
  isReading = false;
  reads = 0;

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    if (this.isReading) this.reads++;
    // A GPU answers later.
    await new Promise((done) => setTimeout(done));
    return super.readSync(dataId);
  }

  override bufferSync<R extends tf.Rank, D extends tf.DataType>(info: tf.TensorInfo): tf.TensorBuffer<R, D> {
    return this.#inKernel(() => super.bufferSync(info));
  }

  /** Kernels of the CPU read their inputs; those of a GPU do not. */
  #inKernel<T>(work: () => T): T {
    const before = this.isReading;
    this.isReading = false;
    try {
      return work();
    } finally {
      this.isReading = before;
    }
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    if (this.isReading) throw new Error("values come asynchronously");
    return super.readSync(dataId);
  }
}

const backend = new AsynchronousBackend();

beforeAll(async () => {
  tf.registerBackend("webgpu", () => backend);
  for (const kernel of tf.getKernelsForBackend("cpu")) tf.registerKernel({ ...kernel, backendName: "webgpu" });
  await tf.setBackend("webgpu");
});

afterAll(() => {
  for (const { kernelName } of tf.getKernelsForBackend("webgpu")) tf.unregisterKernel(kernelName, "webgpu");
  tf.removeBackend("webgpu");
});

/** The names of a model's layers, how far its answer is from ONNX Runtime's, and how many tensors are left after it. */
async function judged(one: OnnxCase): Promise<{ names: readonly string[]; difference: number; left: number }> {
  const before = tf.memory().numTensors;
  backend.isReading = tf.getBackend() === "webgpu";
  const model = await loadModel(one.bytes).finally(() => {
    backend.isReading = false;
  });
  const [names, difference] = [model.layers.map(({ name }) => name), worstDifference(model, one)];
  model.dispose();
  return { names, difference, left: tf.memory().numTensors - before };
}

describe("ONNX files on WebGPU, whose values come asynchronously", () => {
  it.each(onnxKinds)("%s", async (kind) => {
    const wrong: string[] = [];
    for (const one of onnxCases(kind)) {
      await tf.setBackend("cpu");
      const expected = await judged(one);
      await tf.setBackend("webgpu");
      const here = await judged(one);
      // tfjs-layers leaves the weights of a layer that a model calls twice.
      expect([here.names, here.left], one.title).toEqual([expected.names, expected.left]);
      if (!(here.difference <= Math.max(one.tolerance, expected.difference * 2)))
        wrong.push(`${one.title}: ${here.difference}`);
    }
    expect(wrong).toEqual([]);
  });

  it("some of which compute with constants", () => expect(backend.reads).toBeGreaterThan(10));
});
