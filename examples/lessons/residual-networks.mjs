// The lesson on residual networks: how the gradient of the first layer changes with the depth of a network, and what shortcuts change.
import { writeFileSync } from "node:fs";
import { add, chain, conv, dense, evaluate, globalAvgPool, identity, maxPool, network } from "convkit";
import { relu, rescale, train, useEngine } from "convkit";
import { basicBlock } from "convkit/blocks";
import { heNormal, randomNormal } from "convkit/core";
import * as tf from "convkit/tf";
import { curvesSvg } from "./curves.mjs";
import { digits, small } from "./setting.mjs";

await useEngine();
const { train: images, test } = await digits();

// Networks of equal layers: 8 filters of 3x3.
const layer = (activation, init = "glorot") =>
  conv(8, 3, { padding: "same", activation, ...(init === "glorot" ? {} : { init }) });
const stacked = (make) => (depth) => Array.from({ length: depth }, make);
const kinds = {
  sigmoid: stacked(() => layer("sigmoid")),
  "ReLU, initial weights of Glorot": stacked(() => layer("relu")),
  "ReLU, initial weights of He": stacked(() => layer("relu", heNormal)),
  "ReLU, initial weights twice as large as He's": stacked(() => layer("relu", randomNormal(2 * Math.sqrt(2 / 72)))),
  "residual blocks": (depth) => stacked(() => basicBlock(8, { padding: "same" }))(depth / 2),
};
const netOf = (layers, stride = 1) =>
  network(
    [28, 28, 1],
    chain([rescale(1 / 255), maxPool(1, stride, { padding: "valid" }), layer(), ...layers, globalAvgPool(), dense(10)]),
    { seed: 1 },
  );

// The norm of the loss' gradient by the first layer's kernel, for one batch.
let batch;
for await (batch of images.batches({ batch: 32, shuffle: true, seed: 1 })) break;
function firstGradient(model) {
  return tf.tidy(() => {
    const loss = () => {
      const logits = model.apply(tf.tensor4d(batch.images, batch.shape), { training: true });
      return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(batch.labels, "int32"), 10), logits);
    };
    const kernel = model.trainableWeights[0].read();
    const { grads } = tf.variableGrads(loss, [kernel]);
    return tf.norm(grads[kernel.name]).dataSync()[0];
  });
}

const depths = small ? [2, 8, 24] : [2, 4, 8, 16, 24, 32, 40, 48];
const curves = Object.entries(kinds).map(([name, layers]) => {
  const points = depths.map((depth) => {
    const model = netOf(layers(depth));
    const norm = firstGradient(model);
    model.dispose();
    return [depth, norm];
  });
  const [, first] = points[0];
  console.log(`${name}: ${points.map(([depth, norm]) => `${depth}: ${(norm / first).toExponential(1)}`).join(", ")}`);
  return { name, points: points.map(([depth, norm]) => [depth, norm / first]) };
});
writeFileSync(
  "gradients.svg",
  curvesSvg("Gradient of the first layer, beside a network of 2 layers", "layers", curves),
);

// The same depth with and without shortcuts, trained on every second pixel.
const depth = small ? 8 : 32;
for (const name of ["ReLU, initial weights of Glorot", "residual blocks"]) {
  const model = netOf(kinds[name](depth), 2);
  const epochs = small ? 1 : 3;
  await train({ model, data: images, optimizer: "adam", epochs, progress: false });
  const { accuracy } = await evaluate(model, test);
  console.log(`${depth} layers, ${name}: ${(100 * accuracy).toFixed(1)} % of ${test.size} test images are right`);
  model.dispose();
}

// The block by hand.
const block = add([identity, chain([conv(8, 3, { padding: "same" }), relu(), conv(8, 3, { padding: "same" })])]);
console.log("a block by hand:", network([32, 32, 8], block).countParams(), "parameters");
