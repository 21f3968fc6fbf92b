import {
  activation,
  add,
  batchNorm,
  chain,
  conv,
  dense,
  globalAvgPool,
  identity,
  loadData,
  maxPool,
  network,
  rescale,
  stage,
  train,
  trainingHealth,
  useEngine,
} from "convkit";

await useEngine();

// Twenty layers with weights each: a first convolution, nine blocks of two convolutions, a dense layer.
const same = { padding: "same" }; // the weights begin as Keras draws them: Glorot uniform
const unit = (norm) => chain([conv(16, 3, same), ...(norm ? [batchNorm()] : []), activation("sigmoid")]);
const blocks = {
  plain: (norm) => chain([unit(norm), unit(norm)]),
  residual: (norm) => add([blocks.plain(norm), identity]),
};
const made = (kind, norm) =>
  network(
    [28, 28, 1],
    chain({
      scale: rescale(1 / 127.5, -1),
      stem: unit(norm),
      pool: maxPool(4, 4, { padding: "valid" }),
      body: stage(9, () => blocks[kind](norm)),
      head: chain([globalAvgPool(), dense(10, { activation: "softmax" })]),
    }),
    { name: `${kind}${norm ? "-norm" : ""}`, seed: 1 },
  );

// One step on 64 digits: the weights are still those of the start.
const { train: digits } = await loadData("mnist", { limit: 64 });
for (const norm of [false, true]) {
  for (const kind of Object.keys(blocks)) {
    const model = made(kind, norm);
    const health = trainingHealth();
    await train({
      model,
      data: digits,
      epochs: 1,
      batch: 64,
      callbacks: [health],
      out: `runs/${model.name}`,
      progress: false,
    });
    const norms = health.records[0].weights
      .filter(({ name }) => name.endsWith("kernel"))
      .map((each) => each.gradientNorm);
    const [first, last] = [norms[0], norms.at(-2)].map((value) => value.toExponential(1));
    console.log(`${model.name}: gradient of the first convolution ${first}, of the last ${last}`);
  }
}
