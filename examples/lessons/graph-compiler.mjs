// The lesson on the graph compiler: one training step, op by op and as a graph.
import { compile, createModel, useEngine } from "convkit";
import * as tf from "convkit/tf";
import { digits, small } from "./setting.mjs";

const engine = await useEngine();
const { train: images } = await digits();
const batches = [];
for await (const { images: data, labels, shape } of images.batches({
  batch: 32,
  shuffle: true,
  seed: 1,
  dropRemainder: true,
})) {
  batches.push({ data: data.slice(), shape, labels: Int32Array.from(labels) });
  if (batches.length === (small ? 8 : 100)) break;
}

function stepOf() {
  const model = createModel("lenet5", { logits: true, seed: 1 });
  const optimizer = tf.train.sgd(0.05);
  return (x, y) =>
    optimizer.minimize(() => {
      const logits = model.apply(tf.div(x, 255), { training: true });
      return tf.losses.softmaxCrossEntropy(tf.oneHot(y, 10), logits);
    }, true);
}

async function timed(step) {
  const losses = [await step(batches[0])];
  const start = performance.now();
  for (const batch of batches.slice(1)) losses.push(await step(batch));
  return { losses, ms: (performance.now() - start) / (batches.length - 1) };
}

const eagerStep = stepOf();
const eager = await timed(({ data, shape, labels }) =>
  tf.tidy(() => eagerStep(tf.tensor4d(data, shape), tf.tensor1d(labels)).dataSync()[0]),
);
console.log(`op by op: ${eager.ms.toFixed(1)} ms a step`);
if (engine.name === "wasm") console.log("WebAssembly has no graphs: the rest needs TensorFlow");
else {
  const graph = compile(stepOf());
  const compiled = await timed(async ({ data, shape, labels }) => (await graph({ data, shape }, labels)).item());
  console.log(`as a graph: ${compiled.ms.toFixed(1)} ms a step`);
  const [trace] = graph.describe();
  console.log(`one trace of ${trace.traceMs.toFixed(0)} ms, ${trace.nodes} nodes, ${trace.variables.length} variables`);
  for (const { name, changes } of trace.rewrites)
    if (Object.keys(changes).length > 0) console.log(`rewrite ${name}: ${JSON.stringify(changes)}`);
  const differences = eager.losses.map((loss, i) => Math.abs(loss - compiled.losses[i]));
  const apart = differences.findIndex((difference) => difference > 1e-5);
  console.log(
    apart < 0
      ? `losses of ${batches.length} steps are equal within 0.00001`
      : `losses of ${apart} steps are equal within 0.00001, then they drift apart: by ${Math.max(...differences).toFixed(2)} at most in ${batches.length} steps`,
  );
  await graph.dispose();

  // tfjs' own ops in one graph: no rewrite that rounds in another way.
  const exact = compile(stepOf(), { deterministic: true });
  const same = await timed(async ({ data, shape, labels }) => (await exact({ data, shape }, labels)).item());
  const differ = same.losses.filter((loss, i) => loss !== eager.losses[i]).length;
  console.log(`as a graph of tfjs' own ops: ${same.ms.toFixed(1)} ms a step, ${differ} losses differ in any bit`);
  await exact.dispose();
}
