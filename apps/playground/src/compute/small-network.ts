import {
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  globalAvgPool,
  maxPool,
  network,
  relu,
  unitPixels,
} from "@convkit/core";
import { augmentationPlan } from "./augmentation-plan.ts";
import type { Teachable } from "./lesson.ts";
import { fitTo } from "./pictures.ts";

const size = 64;

const stage = (filters: number) =>
  chain({
    conv: conv(filters, 3, { padding: "same", bias: false }),
    norm: batchNorm({ momentum: 0.9 }),
    relu: relu(),
    pool: maxPool(2, 2, { padding: "valid" }),
  });

/** Four convolutions, which learn from nothing. */
export const smallNetwork: Teachable = {
  size,
  async prepare(job, pictures) {
    const classes = job.classes.map(({ name }) => name);
    const body = chain({
      stage1: stage(16),
      stage2: stage(32),
      stage3: stage(64),
      stage4: stage(64),
      pool: globalAvgPool(),
      drop: dropout(0.2),
      predictions: dense(classes.length, { activation: "softmax" }),
    });
    const described = { classes, preprocessing: unitPixels, images: fitTo(size) };
    const model = network([size, size, 3], body, { name: "playground-small", seed: 1, ...described });
    const options = { preprocessing: unitPixels, augment: augmentationPlan(job.augmentation) };
    return { ...pictures, model, options, whole: () => model };
  },
};
