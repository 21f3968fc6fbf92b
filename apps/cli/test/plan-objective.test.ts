import { fromArrays } from "@convkit/datasets";
import { recipes, type Plan } from "@convkit/trainer";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { planObjective } from "../src/training/plan-objective.ts";

const images = new Uint8Array(4 * 4);
const classified = fromArrays({ images, shape: [2, 2, 1], labels: [0, 0, 0, 1], classes: ["a", "b"] });
const mask = { kind: "mask", values: [...Array(12).fill(0), ...Array(3).fill(1), 2], names: ["a", "b", "c"] } as const;
const masked = fromArrays({ images, shape: [2, 2, 1], targets: { mask } });
const model = (outputs: number): LayersModel => ({ outputs: Array(outputs).fill({}) }) as never;
const plan = (parts: Partial<Plan>): Plan => ({ ...recipes["lenet5-mnist"], loss: undefined, ...parts }) as Plan;

test("check, lr-find and train minimize what a plan says", async () => {
  const loss = { name: "focal", gamma: 3 } as const;
  expect(await planObjective(plan({ loss, classWeights: "balanced" }), model(1), classified)).toEqual({
    loss,
    // Four images of two classes: three of one, one of the other.
    classWeights: [4 / (2 * 3), 4 / 2],
    outputWeights: [1],
  });
  const weighted = await planObjective(plan({ classWeights: "balanced" }), model(1), masked);
  expect(weighted.classWeights).toEqual([16 / (3 * 12), 16 / (3 * 3), 16 / 3]);
  // Szegedy et al. 2014, section 5: the losses of the auxiliary classifiers are weighted by 0.3.
  expect(await planObjective(plan({ model: "googlenet" }), model(3), classified)).toEqual({
    outputWeights: [1, 0.3, 0.3],
  });
  const lossWeights = { head: 2 };
  expect(await planObjective(plan({ lossWeights }), model(1), masked)).toEqual({ lossWeights });
});
