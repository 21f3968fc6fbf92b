// The lesson on branches and shortcuts: the notebook's module with four branches, and its two networks with a shortcut.
import { add, chain, concat, conv, dense, draw, evaluate, flatten, identity, maxPool, network } from "convkit";
import { rescale, train, useEngine } from "convkit";
import { writeFileSync } from "node:fs";
import { photos, small } from "./setting.mjs";

await useEngine();
const { train: images, test, classes, shape } = await photos();
const relu = { activation: "relu", padding: "same" };
const half = { stride: 2, ...relu };

const module = concat({
  a: conv(16, 1, half),
  b: chain({ reduce: conv(16, 1, relu), conv: conv(16, 3, half) }),
  c: chain({ reduce: conv(16, 1, relu), conv: conv(16, 5, half) }),
  d: chain({ pool: maxPool(3, 2, { padding: "same" }), conv: conv(16, 1, relu) }),
});
const channels = shape[2];
const convolutions = () => Array.from({ length: 3 }, () => conv(channels, 3, relu));
const wider = chain([conv(channels, 3, relu), conv(6, 3, relu), maxPool(2, 2, { padding: "valid" })]);

const bodies = {
  "four branches": module,
  "three convolutions": chain(convolutions()),
  "three convolutions and a shortcut": add([chain(convolutions()), identity]),
  "a shortcut of another size": add([wider, conv(6, 1, { stride: 2, padding: "valid" })]),
};
for (const [name, body] of Object.entries(bodies)) {
  const head = [flatten(), dense(small ? 32 : 128, { activation: "relu" }), dense(classes)];
  const model = network(shape, chain([rescale(1 / 255), body, ...head]), { seed: 1 });
  const optimizer = { name: "adam", learningRate: 0.001 };
  await train({ model, data: images, optimizer, batch: small ? 32 : 128, epochs: small ? 1 : 10, progress: false });
  const { accuracy } = await evaluate(model, test);
  console.log(
    `${name}: ${model.countParams()} parameters, ${(100 * accuracy).toFixed(1)} % of ${test.size} test images are right`,
  );
  model.dispose();
}
writeFileSync("module.svg", await draw(network([32, 32, 3], module), { title: "four branches" }));
