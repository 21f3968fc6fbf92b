import { convert, createModel, loadModel, saveModel, useEngine } from "convkit";
import * as tf from "convkit/tf";
import { InferenceSession, Tensor } from "onnxruntime-node";

await useEngine();
await saveModel(createModel("residual-stack", { seed: 3 }), "model.keras"); // stands for a file that Keras wrote
const report = await convert("model.keras", "model.onnx");
console.log(`${report.format}: ${report.tensors} tensors`);

// The same images through both.
const images = Float32Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i * 31) % 256);
const model = await loadModel("model.keras");
const ours = await model.predict(tf.tensor4d(images, [2, 32, 32, 3])).data();
const session = await InferenceSession.create("model.onnx");
const outputs = await session.run({ [session.inputNames[0]]: new Tensor("float32", images, [2, 32, 32, 3]) });
const theirs = outputs[session.outputNames[0]].data;

const difference = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])));
console.log(`largest difference ${difference < 1e-5 ? "below" : "above"} 1e-5`);
