import * as tf from "@tensorflow/tfjs-core";
import type * as Onnx from "onnxruntime-node";
import { WeightsError } from "../../weights-error.ts";

/** A written model that can run: takes one tensor per input, returns one per output. */
export interface Runner {
  run(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]>;
  dispose(): Promise<void>;
}

/** Loads ONNX Runtime, which only the verification of ONNX files needs. Throws if it is not installed. */
export async function onnxRuntime(path: string): Promise<typeof Onnx> {
  // Since 1.30 it sends events to its maker, unless this variable is set.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0]!;
    throw new WeightsError(
      path,
      "",
      `is verified by running it in ONNX Runtime, which is not here: npm install onnxruntime-node (${reason})`,
      { cause: error },
    );
  }
}

/** Opens an ONNX file in ONNX Runtime on the CPU. Logs only errors to standard error. */
export async function openOnnx(path: string): Promise<Runner> {
  const { InferenceSession, Tensor } = await onnxRuntime(path);
  const session = await InferenceSession.create(path, { executionProviders: ["cpu"], logSeverityLevel: 3 });
  return {
    async run(inputs) {
      const feeds = session.inputNames.map((name, index) => {
        const { shape } = inputs[index]!;
        return [name, new Tensor("float32", inputs[index]!.dataSync<"float32">(), shape)] as const;
      });
      const outputs = await session.run(Object.fromEntries(feeds));
      return session.outputNames.map((name) => {
        const { data, dims } = outputs[name]!;
        return tf.tensor(data as Float32Array, dims as number[], "float32");
      });
    },
    dispose: () => session.release(),
  };
}
