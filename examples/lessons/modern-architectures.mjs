// The lesson on modern architectures: the pyramid, what each part of the small Xception brings, and the network itself.
import { add, batchNorm, chain, conv, createModel, dense, evaluate, globalAvgPool, maxPool, network } from "convkit";
import { relu, rescale, separableConv, summarize, train, useEngine } from "convkit";
import { photos, small } from "./setting.mjs";

await useEngine();
const { train: images, test, classes, shape } = await photos();

// One module, with and without its parts.
const same = { padding: "same", bias: false };
function module(size, { norm = true, shortcut = true, layer = separableConv } = {}) {
  const unit = () => [...(norm ? [batchNorm()] : []), relu(), layer(size, 3, same)];
  const main = chain([...unit(), ...unit(), maxPool(3, 2, { padding: "same" })]);
  return shortcut ? add([main, conv(size, 1, { stride: 2, ...same })]) : main;
}
const sizes = small ? [8, 16] : [16, 32, 64];
const versions = {
  "as it is": {},
  "without norms": { norm: false },
  "without shortcuts": { shortcut: false },
  "with ordinary convolutions": { layer: conv },
};
const augment = shape[2] === 3 ? { flip: "horizontal", rotation: 0.1, zoom: 0.2 } : { rotation: 0.1, zoom: 0.2 };
async function trained(model) {
  const settings = { optimizer: "rmsprop", batch: 32, epochs: small ? 1 : 10, augment, progress: false };
  await train({ model, data: images, ...settings });
  return `${(100 * (await evaluate(model, test)).accuracy).toFixed(1)} % of ${test.size} test images are right`;
}
for (const [name, parts] of Object.entries(versions).slice(0, small ? 2 : undefined)) {
  const body = [
    rescale(1 / 255),
    conv(8, 3, same),
    ...sizes.map((size) => module(size, parts)),
    globalAvgPool(),
    dense(classes),
  ];
  const model = network(shape, chain(body), { seed: 1 });
  const { macs } = summarize(model);
  console.log(`${name}: ${model.countParams()} parameters, ${macs} multiply-adds, ${await trained(model)}`);
  model.dispose();
}

// The notebook's two networks.
console.log("residual-stack:", createModel("residual-stack").countParams(), "parameters");
const xception = createModel("mini-xception", { input: shape, classes });
console.log(`mini-xception: ${xception.countParams()} parameters${small ? "" : `, ${await trained(xception)}`}`);
