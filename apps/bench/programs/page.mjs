// A page of `convkit-bench pages`: answers with the times of each system for one image, in turns.
import { useEngine } from "@convkit/engine";
import { predictor } from "@convkit/predict";
import { AutoModel, env, Tensor } from "@huggingface/transformers";
import * as ort from "onnxruntime-web/wasm";

const size = 224;

/** The same image for all, `[h, w, c]`. */
const image = Float32Array.from({ length: size * size * 3 }, (_, at) => ((at * 7919) % 255) / 255);
const systems = {
  async convkit(network) {
    await useEngine("wasm", { wasmPath: "/convkit", threads: 1 });
    const model = predictor(`/models/${network}/${network}.keras`);
    return async () => (await model.predict({ data: image, shape: [1, size, size, 3] })).data;
  },
  async "onnxruntime-web"(network) {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = "/onnxruntime/";
    const session = await ort.InferenceSession.create(`/models/${network}/onnx/model.onnx`, {
      executionProviders: ["wasm"],
    });
    const [input] = session.inputNames;
    const [output] = session.outputNames;
    return async () => {
      const answer = await session.run({ [input]: new ort.Tensor("float32", image, [1, size, size, 3]) });
      return answer[output].data;
    };
  },
  async "transformers.js"(network) {
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    env.useBrowserCache = false;
    env.localModelPath = "/models/";
    env.backends.onnx.wasm.numThreads = 1;
    env.backends.onnx.wasm.wasmPaths = "/transformers/";
    const model = await AutoModel.from_pretrained(network, { dtype: "fp32", device: "wasm" });
    const [session] = Object.values(model.sessions);
    return async () => {
      const answer = await model({ [session.inputNames[0]]: new Tensor("float32", image, [1, size, size, 3]) });
      return answer[session.outputNames[0]].data;
    };
  },
};

/** Milliseconds of each answer by system, round by round, and the first answer of each. */
export async function run({ network, wanted, rounds, runs }) {
  const times = {};
  const outputs = {};
  const predict = {};
  for (const name of wanted) {
    predict[name] = await systems[name](network);
    outputs[name] = Array.from(await predict[name]());
    times[name] = [];
  }
  for (let round = 0; round < rounds; round++)
    for (const name of wanted) {
      await predict[name]();
      for (let turn = 0; turn < runs; turn++) {
        const start = performance.now();
        await predict[name]();
        times[name].push(performance.now() - start);
      }
    }
  return { times, outputs, agent: navigator.userAgent, isIsolated: crossOriginIsolated };
}
