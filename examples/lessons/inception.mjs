// The lesson on inception: what bottlenecks and factorized kernels save, and the modules at work.
import { chain, conv, createModel, dense, draw, evaluate, globalAvgPool, inception, maxPool, network } from "convkit";
import { rescale, summarize, train, useEngine } from "convkit";
import { convBnRelu, factorizedInception, naiveInception } from "convkit/blocks";
import { withoutAux } from "convkit/core";
import { writeFileSync } from "node:fs";
import { photos, small } from "./setting.mjs";

await useEngine();

// GoogLeNet's module 3a, three times.
const filters = [64, 96, 128, 16, 32, 32];
const modules = {
  naive: naiveInception([filters[0], filters[2], filters[4]]),
  "with bottlenecks": inception(filters),
  factorized: factorizedInception(filters),
};
for (const [name, module] of Object.entries(modules)) {
  const { params, macs } = summarize(network([28, 28, 192], module));
  console.log(`${name}: ${params.total} parameters, ${macs} multiply-adds`);
}

// Three of each in a small network.
const { train: images, test, classes, shape } = await photos();
const unit = convBnRelu({ scale: false });
const narrow = [8, 12, 16, 4, 8, 8];
const kinds = {
  naive: () => naiveInception([8, 16, 8], { unit }),
  "with bottlenecks": () => inception(narrow, { unit }),
  factorized: () => factorizedInception(narrow, { unit }),
};
for (const [name, make] of Object.entries(kinds).slice(small ? 1 : 0)) {
  const body = chain([
    rescale(1 / 255),
    conv(16, 3, { padding: "same", activation: "relu" }),
    maxPool(2, 2, { padding: "valid" }),
    ...Array.from({ length: 3 }, make),
    globalAvgPool(),
    dense(classes),
  ]);
  const model = network(shape, body, { seed: 1 });
  await train({ model, data: images, optimizer: "adam", epochs: small ? 1 : 10, progress: false });
  const { accuracy } = await evaluate(model, test);
  console.log(
    `three ${name}: ${model.countParams()} parameters, ${(100 * accuracy).toFixed(1)} % of ${test.size} test images are right`,
  );
  model.dispose();
}

// GoogLeNet with its auxiliary classifiers, and without.
const googlenet = createModel("googlenet", { aux: true, input: [96, 96, 3], classes: 2 });
console.log(
  `GoogLeNet: ${googlenet.outputs.length} outputs in training, ${withoutAux(googlenet).outputs.length} at the end`,
);
writeFileSync("module.svg", await draw(network([28, 28, 192], chain({ "3a": inception(filters) }))));
