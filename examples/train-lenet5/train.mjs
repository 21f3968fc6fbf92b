import { createModel, evaluate, loadData, saveModel, train, useEngine } from "convkit";

await useEngine();
const { train: digits, test } = await loadData("mnist", { limit: 3000 });
const model = createModel("lenet5", { seed: 1 });
const { history } = await train({
  model,
  data: { name: "mnist", train: digits, validation: test },
  optimizer: { name: "adam", learningRate: 0.002 },
  schedule: "cosine",
  batch: 64,
  epochs: 2,
  progress: false,
});
for (const { epoch, loss, valAccuracy } of history) {
  console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}, test ${(100 * valAccuracy).toFixed(1)} %`);
}
const { accuracy, perClass } = await evaluate(model, test);
const hardest = perClass.toSorted((a, b) => a.recall - b.recall)[0];
console.log(`${(100 * accuracy).toFixed(1)} % are right; the hardest digit is ${hardest.label}`);
await saveModel(model, "lenet5.keras");
