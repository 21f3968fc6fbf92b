import type { Callback } from "./callbacks.ts";

/** Stops the run when a batch's loss is not a number any more, and names the first layer whose weights are not. */
export function terminateOnNaN(): Callback {
  return {
    async onTrainBatchEnd(_batch, logs, training) {
      if (Number.isFinite(logs.stepLoss)) return;
      await training.syncWeights();
      let bad: string | undefined;
      for (const layer of training.model.layers) {
        const values = await Promise.all(layer.weights.map((weight) => weight.read().data<"float32">()));
        if (bad === undefined && values.some((each) => each.some((value) => !Number.isFinite(value)))) bad = layer.name;
      }
      const where =
        bad === undefined
          ? "all weights are still finite"
          : `the first layer with weights that are not finite is ${bad}`;
      training.stop(`the loss became ${logs.stepLoss} at step ${training.step}, and ${where}`);
    },
  };
}
