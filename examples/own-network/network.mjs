import {
  add,
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  globalAvgPool,
  identity,
  inception,
  maxPool,
  network,
  relu,
  rescale,
  stage,
  summarize,
  useEngine,
} from "convkit";

await useEngine();
const same = { padding: "same", bias: false };

// A block is a function from a tensor to a tensor; blocks are put together by chain, add and concat.
const unit = (filters, kernel) => chain([conv(filters, kernel, same), batchNorm(), relu()]);
const residual = (filters) =>
  chain([add([chain([unit(filters, 3), conv(filters, 3, same), batchNorm()]), identity]), relu()]);

const body = chain({
  scale: rescale(1 / 127.5, -1),
  stem: unit(32, 3),
  pool: maxPool(2, 2, { padding: "same" }),
  stage1: stage(3, () => residual(32)),
  mixed: inception([16, 16, 32, 4, 8, 8]), // GoogLeNet's module: 16 + 32 + 8 + 8 = 64 channels
  stage2: stage(2, () => residual(64)),
  head: chain([globalAvgPool(), dropout(0.2), dense(10, { activation: "softmax" })]),
});
const model = network([32, 32, 3], body, { name: "mine", seed: 7 });

const { params, macs } = summarize(model);
console.log(`${model.layers.length} layers, ${params.total} parameters, ${macs} multiply-adds`);
console.log(
  model.layers
    .map(({ name }) => name)
    .filter((name) => name.startsWith("mixed"))
    .slice(0, 3)
    .join(" "),
);
