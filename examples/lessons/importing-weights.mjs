// The lesson on importing weights: the same network as files of Keras, PyTorch and ONNX, read back and compared.
import { convert, createModel, loadModel, loadWeights, saveModel, train, useEngine } from "convkit";
import * as tf from "convkit/tf";
import { digits } from "./setting.mjs";

await useEngine();
const { train: images } = await digits();
const model = createModel("lenet5", { seed: 1 });
await train({ model, data: images, optimizer: "adam", epochs: 1, progress: false });

let batch;
for await (batch of images.batches({ batch: 8 })) break;
const answers = (network) =>
  tf.tidy(() => Array.from(network.predict(tf.div(tf.tensor4d(batch.images, batch.shape), 255)).dataSync()));
const expected = answers(model);
const difference = (network) => Math.max(...answers(network).map((value, i) => Math.abs(value - expected[i])));

// Whole models.
for (const file of ["lenet5.keras", "lenet5.h5", "lenet5.onnx"]) {
  await saveModel(model, file);
  console.log(`${file}: answers ${difference(await loadModel(file)) < 1e-5 ? "equal" : "differ"}`);
}

// Weights alone. PyTorch's order of axes and of flattened maps is another one.
for (const file of ["lenet5.weights.h5", "lenet5.safetensors"]) {
  await saveModel(model, file);
  const empty = createModel("lenet5", { seed: 2 });
  const before = difference(empty);
  const { loaded } = await loadWeights(empty, file);
  console.log(`${file}: ${loaded} tensors, answers ${difference(empty) < 1e-5 && before > 1e-3 ? "equal" : "differ"}`);
}

// A kernel by hand: [out, in, height, width] becomes [height, width, in, out].
const torch = tf.tensor4d([1, 2, 3, 10, 20, 30], [1, 2, 1, 3]);
console.log("kernel:", Array.from(tf.transpose(torch, [2, 3, 1, 0]).dataSync()).join(" "));

// A file that does not fit changes nothing.
const other = createModel("lenet5", { classes: 7, seed: 3 });
await loadWeights(other, "lenet5.safetensors").catch(({ name }) => console.log(`seven classes: ${name}`));

const { worst, holds } = await convert("lenet5.keras", "copy.h5", { verify: true });
console.log(`verified: ${holds}, worst difference ${worst < 1e-5 ? "below" : "above"} 1e-5`);
