// The lesson on receptive fields: what stacks of windows see, measured fields, and 3x3 stacks against large filters.
import { chain, conv, createModel, dense, evaluate, globalAvgPool, measuredReceptiveField, network } from "convkit";
import { receptiveFields, rescale, train, useEngine } from "convkit";
import { effectiveReceptiveField, stackedReceptiveField } from "convkit/core";
import { digits, small } from "./setting.mjs";

await useEngine();

// Stacks of 3x3 against one large window, with 64 channels.
for (const large of [5, 7, 11]) {
  const windows = Array.from({ length: (large - 1) / 2 }, () => ({ kernel: 3 }));
  const { size, deviation } = effectiveReceptiveField(windows);
  const [stack, single] = [windows.length * 9 * 64 * 64, large * large * 64 * 64];
  console.log(
    `${windows.length} of 3x3 see ${size}x${size}: ${stack} weights against ${single}, deviation ${deviation.toFixed(2)}`,
  );
}

// VGG-16 by its table, and LeNet-5 as it is.
const block = (convolutions) => [
  ...Array.from({ length: convolutions }, () => ({ kernel: 3 })),
  { kernel: 2, stride: 2 },
];
console.log("VGG-16 sees", stackedReceptiveField([2, 2, 3, 3, 3].flatMap(block)).size);
const lenet = createModel("lenet5", { seed: 1 });
console.log("LeNet-5:", [...receptiveFields(lenet)].map(([layer, { size }]) => `${layer} ${size[0]}`).join(", "));

// The measured field becomes a smaller part of the exact one with depth.
for (const depth of small ? [2, 6] : [2, 5, 10, 20]) {
  const layers = Array.from({ length: depth }, () => conv(8, 3, { padding: "same", activation: "relu" }));
  const model = network([64, 64, 1], chain(layers), { seed: 1 });
  const { theoretical, effective, gaussian } = await measuredReceptiveField(model, { samples: small ? 2 : 16 });
  const part = (effective[0] * effective[1]) / (theoretical[0] * theoretical[1]);
  console.log(
    `${depth} layers: exact ${theoretical[0]}, 95 % within ${effective[0]}, ${(100 * part).toFixed(0)} % of the area, deviation ${gaussian.deviation[0].toFixed(1)}`,
  );
}

// One 7x7 and three 3x3: the same field, other weights.
const { train: images, test } = await digits();
const same = { padding: "same", activation: "relu" };
const networks = {
  "one 7x7": [conv(16, 7, same)],
  "three 3x3": [conv(16, 3, same), conv(16, 3, same), conv(16, 3, same)],
};
for (const [name, layers] of Object.entries(networks)) {
  const body = chain([rescale(1 / 255), conv(16, 3, { stride: 2, ...same }), ...layers, globalAvgPool(), dense(10)]);
  const model = network([28, 28, 1], body, { seed: 1 });
  await train({
    model,
    data: images,
    optimizer: { name: "adam", learningRate: 0.005 },
    epochs: small ? 1 : 10,
    progress: false,
  });
  const { accuracy, top5 } = await evaluate(model, test);
  console.log(
    `${name}: ${model.countParams()} parameters, top-1 ${(100 * accuracy).toFixed(1)} %, top-5 ${(100 * top5).toFixed(1)} %`,
  );
}
