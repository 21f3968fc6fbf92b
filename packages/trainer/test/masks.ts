import { readFileSync } from "node:fs";
import { fromArrays } from "@convkit/datasets";
import { type EngineName, useEngine } from "@convkit/engine";
import { executable } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { balancedClassWeights, evaluateTasks, train } from "../src/index.ts";
import { metricOf, type MetricPlan } from "../src/metrics/named-metrics.ts";
import { judgedTargets, outputLoss } from "../src/objective/objective.ts";
import type { OutputTask } from "../src/objective/output-tasks.ts";
import type { Reduction } from "../src/objective/reduction.ts";

interface Golden {
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly ignore: number;
  readonly masks: readonly number[];
  readonly logits: readonly number[];
  readonly imageWeights: readonly number[];
  readonly classWeights: readonly number[];
  readonly losses: readonly {
    readonly reduction: Reduction;
    readonly images: boolean;
    readonly byClass: boolean;
    readonly value: number;
    readonly gradient: readonly number[];
  }[];
  readonly confusion: readonly (readonly number[])[];
  readonly metrics: readonly { readonly plan: MetricPlan; readonly values: readonly number[] }[];
}

const golden = JSON.parse(readFileSync(new URL("golden/masks.json", import.meta.url), "utf8")) as Golden;
const { shape, classes, ignore } = golden;
const [n, h, w] = shape;
const feeds = [
  { data: Float32Array.from(golden.logits), shape: [n, h, w, classes] },
  { data: Int32Array.from(golden.masks), shape: [n, h, w] },
];

/** Tests of masks on one engine; a process has one. */
export function testMasks(engine: EngineName): void {
  beforeAll(async () => {
    await useEngine(engine);
    // In tests tfjs takes what an op keeps for its gradient for a leak.
    tf.env().set("IS_TEST", false);
  });
  const ways = engine === "wasm" ? [true] : [true, false];

  describe.each(ways)(`pixels that are not judged (${engine}, op by op: %s)`, (eager) => {
    test.each(golden.losses.map((each) => [`${each.reduction} ${each.images} ${each.byClass}`, each] as const))(
      "leave Keras' loss and gradient: %s",
      async (_title, { reduction, images, byClass, value, gradient }) => {
        const task = {
          kind: "mask",
          loss: { name: "sparse-categorical-crossentropy", reduction },
          ignore,
          ...(byClass && { classWeights: golden.classWeights }),
        } as OutputTask;
        const run = executable(
          (x, y, weights) => {
            const made = tf.valueAndGrad((values: tf.Tensor) =>
              outputLoss(task, y!, { values: values as tf.Tensor2D, areLogits: true, activation: "softmax" }, weights),
            )(x!);
            return [made.value, made.grad];
          },
          { eager },
        );
        const weights = { data: Float32Array.from(golden.imageWeights), shape: [n] };
        const [got, slope] = await run.run(images ? [...feeds, weights] : feeds);
        await run.dispose();
        expect(Math.abs(got!.data[0]! - value)).toBeLessThan(2e-6 * Math.max(1, value));
        gradient.forEach((each, place) => expect(slope!.data[place]).toBeCloseTo(each, 5));
      },
    );

    test.each(golden.metrics.map((each) => [JSON.stringify(each.plan), each] as const))(
      "leave metrics: %s",
      async (_title, { plan, values }) => {
        const metric = metricOf(plan);
        const run = executable(
          (x, y) => [metric.statistics!(judgedTargets({ ignore }, y!), tf.softmax(x!))].flat() as tf.Tensor[],
          { eager },
        );
        metric.update(...(await run.run(feeds)));
        await run.dispose();
        const result = metric.result();
        const got = typeof result === "number" ? [result] : Object.values(result);
        expect(got).toHaveLength(values.length);
        values.forEach((each, place) => expect(got[place]).toBeCloseTo(each, 6));
      },
    );

    test("leave training and evaluation", async () => {
      // A 1x1 convolution of 3 channels with the identity as its kernel gives the golden logits.
      const data = fromArrays({
        images: Float32Array.from(golden.logits),
        shape: [h, w, classes],
        targets: { mask: { kind: "mask", values: golden.masks, names: ["a", "b", "c"], ignore } },
      });
      const input = tfl.input({ shape: [h, w, classes] });
      const conv = tfl.layers.conv2d({ filters: classes, kernelSize: 1, activation: "softmax", useBias: false });
      const model = tfl.model({ inputs: input, outputs: conv.apply(input) as tfl.SymbolicTensor, name: "net" });
      const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
      conv.setWeights([tf.tensor4d(identity, [1, 1, classes, classes])]);
      const [{ value, gradient }] = golden.losses as [Golden["losses"][number]];
      const { loss, outputs, metrics } = await evaluateTasks(model, data, {
        metrics: ["mean-iou"],
        execution: { eager },
        worst: 2,
      });
      expect(loss).toBeCloseTo(value, 5);
      expect(outputs[0]!.confusion).toEqual(golden.confusion);
      expect(metrics["mean-iou"]).toBeCloseTo(golden.metrics[0]!.values[0]!, 6);
      const { masks } = outputs[0]!;
      expect(masks).toHaveLength(2);
      const pixels = h * w;
      for (const { index, actual, overlap } of masks!) {
        expect([...actual]).toEqual(golden.masks.slice(index * pixels, (index + 1) * pixels));
        expect(overlap).toBeCloseTo(overlapOf(index), 6);
      }
      expect(masks!.map(({ overlap }) => overlap)).toEqual(
        Array.from({ length: n }, (_, index) => overlapOf(index))
          .toSorted((a, b) => a - b)
          .slice(0, 2),
      );
      // The gradient of the kernel is that of the logits times the inputs, which are the logits.
      const rate = 0.1;
      await train({
        model,
        data,
        epochs: 1,
        batch: n,
        optimizer: { name: "sgd", learningRate: rate },
        progress: false,
        restoreBest: false,
        execution: { eager },
      });
      const trained = model.getWeights()[0]!.dataSync();
      for (let row = 0; row < classes; row += 1)
        for (let column = 0; column < classes; column += 1) {
          let slope = 0;
          for (let pixel = 0; pixel < n * pixels; pixel += 1)
            slope += golden.logits[pixel * classes + row]! * gradient[pixel * classes + column]!;
          const place = row * classes + column;
          expect(trained[place]).toBeCloseTo(identity[place]! - rate * slope, 5);
        }
      const other = fromArrays({
        images: Float32Array.from(golden.logits),
        shape: [h, w, classes],
        targets: { mask: { kind: "mask", values: golden.masks, names: ["b", "a", "c"], ignore } },
      });
      await expect(evaluateTasks(model, other)).rejects.toThrow(
        "net tells a, b, c, but mask of arrays has b, a, c: expected the same names in the same order.",
      );
    });
  });
}

test("classes of pixels get the same total, without those that are not judged", () => {
  expect(balancedClassWeights([0, 0, 0, 1, 255], 2, { ignore: 255 })).toEqual([4 / 6, 2]);
  expect(balancedClassWeights(Uint8Array.of(2, 0), 3)).toEqual([1, 0, 1]);
});

/** The mean overlap of one image's classes by plain loops. */
function overlapOf(image: number): number {
  const shares = Array.from({ length: classes }, (_, label) => {
    let [both, either] = [0, 0];
    for (let pixel = image * h * w; pixel < (image + 1) * h * w; pixel += 1) {
      if (golden.masks[pixel] === ignore) continue;
      const own = golden.logits.slice(pixel * classes, (pixel + 1) * classes);
      const [isTrue, isPredicted] = [golden.masks[pixel] === label, own.indexOf(Math.max(...own)) === label];
      if (isTrue && isPredicted) both += 1;
      if (isTrue || isPredicted) either += 1;
    }
    return either === 0 ? Number.NaN : both / either;
  }).filter((share) => !Number.isNaN(share));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
