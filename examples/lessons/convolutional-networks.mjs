// The lesson on convolutional networks: a filter by hand, sizes, parameters, and LeNet-5 on MNIST.
import { chain, conv, createModel, dense, draw, drawWindow, earlyStopping, evaluate } from "convkit";
import { flatten, loadData, network, saveModel, train, useEngine } from "convkit";
import { crossCorrelate, outputSize } from "convkit/core";
import { writeFileSync } from "node:fs";
import { small } from "./setting.mjs";

await useEngine();

// A filter that finds edges, over an image with one edge.
const image = Array.from({ length: 5 }, () => [0, 0, 1, 1, 1]);
const kernel = Array.from({ length: 3 }, () => [-1, 0, 1]);
console.log("feature map:", JSON.stringify(crossCorrelate(image, kernel)));
writeFileSync("filter.svg", drawWindow({ input: image, kernel }));

// The size of the output.
const sizes = [
  [5, { kernel: 3, padding: "valid" }],
  [5, { kernel: 4, padding: 2 }],
  [28, { kernel: 5, padding: "same" }],
  [5, { kernel: 3, stride: 2, padding: "valid" }],
  [6, { kernel: 3, stride: 2, padding: "valid" }],
];
for (const [input, window] of sizes) {
  const { size, warning } = outputSize(input, window);
  console.log(`${input} through ${JSON.stringify(window)}: ${size[0]}${warning === undefined ? "" : ` (${warning})`}`);
}

// Dense layers grow with the image, convolutions do not.
for (const side of [28, 56, 112]) {
  const all = network([side, side, 3], chain([flatten(), dense(32)])).countParams();
  const windows = network([side, side, 3], conv(32, 5, { padding: "valid" })).countParams();
  console.log(`${side}x${side}: dense ${all}, convolution ${windows}`);
}
console.log("simple-cnn:", createModel("simple-cnn").countParams());

// LeNet-5 as in the notebook: plain SGD, until the validation loss has not fallen for three epochs.
const data = await loadData("mnist", small ? { limit: 500, validation: 0.2 } : { limit: 20_000, validation: 0.1 });
const model = createModel("lenet5", { seed: 1 });
const settings = small
  ? { optimizer: "adam", epochs: 2 }
  : { optimizer: { name: "sgd", learningRate: 0.02 }, epochs: 20 };
await train({ model, data, ...settings, callbacks: [earlyStopping({ patience: 3 })], progress: false });
const { accuracy } = await evaluate(model, data.test);
console.log(`LeNet-5: ${(100 * accuracy).toFixed(1)} % of ${data.test.size} test digits are right`);
writeFileSync("lenet5.svg", await draw(model, { width: "channels" }));
await saveModel(model, "lenet5.keras");
