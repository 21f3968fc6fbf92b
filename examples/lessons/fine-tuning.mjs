// The lesson on fine-tuning: a network that knows the digits 0 to 4 learns 5 to 9 from a few images.
import { createModel, evaluate, freeze, fromArrays, loadData, replaceHead, train, useEngine } from "convkit";
import { small } from "./setting.mjs";

await useEngine();
const all = await loadData("mnist", { limit: small ? 1500 : 12_000, seed: 1 });

/** The digits from `first` to `first + 4`, as classes 0 to 4; at most `most` of each, beginning with the image `start`. */
async function digits(set, first, most, start = 0) {
  const seen = [0, 0, 0, 0, 0];
  const wanted = Array.from(set.labels.keys()).filter((image) => {
    const label = set.labels[image] - first;
    return image >= start && label >= 0 && label < 5 && seen[label]++ < most;
  });
  const part = set.select(wanted);
  const images = [];
  for await (const batch of part.batches({ batch: 64 })) images.push(Buffer.from(batch.images.slice()));
  const labels = Array.from(part.labels, (label) => label - first);
  const classes = Array.from({ length: 5 }, (_, i) => String(first + i));
  return fromArrays({ images: new Uint8Array(Buffer.concat(images)), shape: [28, 28, 1], labels, classes });
}

const low = await digits(all.train, 0, Infinity);
const test = await digits(all.test, 5, Infinity);
const lenet = createModel("lenet5", { classes: 5, seed: 1 });
await train({ model: lenet, data: low, optimizer: "adam", epochs: small ? 2 : 6, progress: false });
const learned = lenet.getWeights();
console.log(`LeNet-5 has learned 0 to 4 from ${low.size} images`);

/** What has been learned, with a new head. */
function copy(seed) {
  const model = createModel("lenet5", { classes: 5, seed });
  model.setWeights(learned);
  return replaceHead(model, 5, { seed });
}
/** The learned convolutions alone, with new dense layers. */
function convolutions(seed) {
  const model = createModel("lenet5", { classes: 5, seed });
  for (const name of ["conv1", "conv2"]) model.getLayer(name).setWeights(lenet.getLayer(name).getWeights());
  return freeze(model, "pool2");
}
const long = small ? 10 : 80;
async function fit(model, data, learningRate, epochs, seed) {
  await train({ model, data, optimizer: { name: "adam", learningRate }, batch: 16, epochs, seed, progress: false });
  return model;
}
const ways = {
  "from nothing": (data, seed) => fit(createModel("lenet5", { classes: 5, seed }), data, 0.002, long, seed),
  "the head alone": (data, seed) => fit(freeze(copy(seed), "fc2"), data, 0.01, long, seed),
  "all dense layers": (data, seed) => fit(convolutions(seed), data, 0.002, long, seed),
  "the head, then everything": async (data, seed) => {
    const model = await fit(freeze(copy(seed), "fc2"), data, 0.01, long / 2, seed);
    return fit(freeze(model), data, 0.0005, long / 2, seed); // without a name: all layers learn again
  },
};
for (const count of small ? [10] : [5, 10, 50]) {
  for (const [name, way] of Object.entries(ways)) {
    const shares = [];
    for (const seed of small ? [1] : [1, 2, 3]) {
      const few = await digits(all.train, 5, count, seed * 1000 - (small ? 1000 : 0));
      const { accuracy } = await evaluate(await way(few, seed), test);
      shares.push(100 * accuracy);
    }
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    console.log(`${count} of each, ${name}: ${mean.toFixed(1)} % of ${test.size} test digits are right`);
  }
}
