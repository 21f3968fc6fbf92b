// Not tfjs' other entries: this program must know stock classes only, and none of convkit's packages.
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { stockFolder } from "./stock-folder.ts";

/** A folder to load and an input to predict. */
export interface StockRequest {
  readonly path: string;
  readonly format: "tfjs" | "tfjs-graph";
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The outputs, or why stock tfjs does not give any. */
export type StockAnswer = { readonly outputs: readonly Float32Array[] } | { readonly error: string };

async function answer({ path, format, shape, values }: StockRequest): Promise<StockAnswer> {
  tf.engine().startScope();
  try {
    const load = format === "tfjs" ? tfl.loadLayersModel : loadGraphModel;
    const model = await load(stockFolder(path));
    const outputs = [model.predict(tf.tensor(values, [...shape]))].flat() as tf.Tensor[];
    const found = outputs.map((y) => Float32Array.from(y.dataSync()));
    model.dispose();
    return { outputs: found };
  } catch (error) {
    return { error: (error as Error).message };
  } finally {
    tf.engine().endScope();
    tf.disposeVariables();
  }
}

await tf.setBackend(process.argv[2] ?? "wasm");
process.on("message", (request: StockRequest) => {
  void answer(request).then((reply) => process.send!(reply));
});
process.send!("ready");
