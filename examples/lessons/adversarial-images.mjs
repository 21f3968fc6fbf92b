// The lesson on adversarial images: how far the accuracy falls when images are changed along the network's own gradient.
import { writeFileSync } from "node:fs";
import {
  chain,
  conv,
  dense,
  evaluate,
  flatten,
  fromArrays,
  maxPool,
  network,
  rescale,
  train,
  useEngine,
} from "convkit";
import { fgsm, pgd } from "convkit/inspect";
import * as tf from "convkit/tf";
import { curvesSvg } from "./curves.mjs";
import { digits, small } from "./setting.mjs";

await useEngine();
const { train: images, test } = await digits();
const same = { padding: "same", activation: "relu" };
const body = chain([
  rescale(1 / 255),
  conv(8, 5, same),
  maxPool(2, 2, { padding: "valid" }),
  conv(16, 5, same),
  maxPool(2, 2, { padding: "valid" }),
  flatten(),
  dense(64, { activation: "relu" }),
  dense(10),
]);
const model = network([28, 28, 1], body, { seed: 1 });
await train({ model, data: images, optimizer: "adam", epochs: small ? 3 : 6, progress: false });
const judged = test.select(Array.from({ length: small ? 64 : 500 }, (_, i) => i));
console.log(`${(100 * (await evaluate(model, judged)).accuracy).toFixed(1)} % of ${judged.size} test digits are right`);

const range = [0, 255];
/** Every value moves by epsilon, up or down by chance. */
async function noise(_, batch, labels, { epsilon }) {
  const moved = tf.tidy(() =>
    tf.clipByValue(
      tf.add(batch, tf.mul(epsilon, tf.sign(tf.randomUniform(batch.shape, -1, 1, "float32", 7)))),
      ...range,
    ),
  );
  const scores = model.predict(moved);
  const found = { values: await moved.data(), predicted: await tf.argMax(scores, 1).data() };
  tf.dispose([moved, scores]);
  return found;
}
const methods = {
  "random signs": noise,
  FGSM: fgsm,
  "PGD, 10 steps": (...given) => pgd(...given),
};

/** Changed images of a data set, with the share of them that the network tells right. */
async function changed(data, method, epsilon) {
  const [values, labels] = [[], []];
  let right = 0;
  for await (const batch of data.batches({ batch: 100 })) {
    const before = tf.tensor4d(Float32Array.from(batch.images), batch.shape);
    const made = await method(model, before, batch.labels, { epsilon: 255 * epsilon, range });
    before.dispose();
    values.push(...made.values);
    labels.push(...batch.labels);
    right += made.predicted.filter((label, i) => label === batch.labels[i]).length;
  }
  return { values, labels, accuracy: right / labels.length };
}

const steps = small ? [0.1, 0.2] : [0.02, 0.05, 0.1, 0.15, 0.2, 0.3];
async function measure(title) {
  const { accuracy } = await evaluate(model, judged);
  const curves = [];
  for (const [name, method] of Object.entries(methods)) {
    const points = [[0, accuracy]];
    for (const epsilon of steps) points.push([epsilon, (await changed(judged, method, epsilon)).accuracy]);
    console.log(`${title}, ${name}: ${points.map(([x, y]) => `${x}: ${(100 * y).toFixed(1)} %`).join(", ")}`);
    curves.push({ name, points });
  }
  return curves;
}
const curves = await measure("as trained");
writeFileSync(
  "adversarial.svg",
  curvesSvg(
    "Digits told right, in percent",
    "epsilon",
    curves.map(({ name, points }) => ({ name, points: points.map(([x, y]) => [x, 100 * y]) })),
    { linear: true },
  ),
);

// Training on images that are changed by FGSM, made anew before each epoch.
const some = images.select(Array.from({ length: small ? 128 : images.size }, (_, i) => i));
for (let epoch = 0; epoch < (small ? 1 : 4); epoch++) {
  const { values, labels } = await changed(some, fgsm, 0.15);
  const data = fromArrays({
    images: Uint8Array.from(values, Math.round),
    shape: [28, 28, 1],
    labels,
    classes: images.classes,
  });
  await train({ model, data, optimizer: "adam", epochs: 1, progress: false });
}
await measure("after adversarial training");
