import { parentPort } from "node:worker_threads";
import { createModel, modelMetadata, predictor, topClasses, useEngine } from "convkit";

await useEngine();
const model = createModel("lenet5", { seed: 1 }); // or await loadModel("runs/lenet5/model")
const { preprocessing } = modelMetadata(model);
const digits = predictor(model, { preprocessing });
parentPort.on("message", async (images) => {
  if (images === "end") {
    await digits.dispose();
    return parentPort.close();
  }
  const { data } = await digits.predict(images);
  const classes = Array.from(
    { length: data.length / 10 },
    (_, i) => topClasses(data.subarray(10 * i, 10 * i + 10), 1)[0],
  );
  parentPort.postMessage(classes);
});
parentPort.postMessage("ready");
