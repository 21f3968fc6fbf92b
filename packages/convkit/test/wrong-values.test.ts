import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as blocks from "@convkit/blocks";
import * as core from "@convkit/core";
import * as datasets from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { isConvkitError } from "@convkit/errors";
import { accelerate } from "@convkit/graph";
import * as inspect from "@convkit/inspect";
import { createModel, unet } from "@convkit/models";
import * as predict from "@convkit/predict";
import * as trainer from "@convkit/trainer";
import * as weights from "@convkit/weights";
import { wrongValues } from "../../../tools/testing/src/wrong-values.ts";

/** Each option of the everyday functions that is true or false, a number, a text or one of some words gets a value that it cannot have. */

const folder = mkdtempSync(join(tmpdir(), "convkit-wrong-values-"));
const at = (name: string): string => join(folder, name);
const model = () => createModel("lenet5", { seed: 1 });
const images = Uint8Array.from({ length: 20 * 784 }, (_, i) => (i * 31) % 251);
const digit = { data: images.slice(0, 784), shape: [1, 28, 28, 1] as const };
const picture = () => tf.zeros<tf.Rank.R3>([28, 28, 1]);
const classes = [..."0123456789"];
const labels = Int32Array.from({ length: 20 }, (_, i) => i % 10);
const data = () => datasets.fromArrays({ images, shape: [28, 28, 1], labels, classes });
const block = (made: unknown) =>
  core.network([8, 8, 4], core.chain({ made, flat: core.flatten() } as never) as core.Block);

/** A PNG of 4x4 pixels of one color. */
const png = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGNwCU2DIwbiOACcgw/xdplqtgAAAABJRU5ErkJggg==";

type Options = never;
type Call = (options: Options) => unknown;

/** A call of each function with sound arguments and the given options, by the package of the function. */
const calls: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  core: {
    batchNorm: (options) => block(core.batchNorm(options)),
    dropout: (options) => block(core.dropout(0.1, options)),
    groupNorm: (options) => block(core.groupNorm(2, options)),
    localResponseNorm: (options) => block(core.localResponseNorm(options)),
    replaceHead: (options) => core.replaceHead(model(), 3, options),
  },
  blocks: {
    basicBlock: (options) => block(blocks.basicBlock(4, { stride: 1, ...(options as object) } as never)),
    bottleneckBlock: (options) =>
      block(blocks.bottleneckBlock(4, { strideOn: "3x3", ...(options as object) } as never)),
  },
  models: {
    unet: (options) => unet({ input: [16, 16, 1], classes: 2, widths: [4, 8], ...(options as object) }),
  },
  datasets: {
    decodeImage: (options) => datasets.decodeImage(at("images/a/0.png"), options),
    imageFolder: (options) => datasets.imageFolder(at("images"), options),
    loadData: (options) => datasets.loadData(at("images"), options),
    splitOff: (options) => datasets.splitOff(data(), 0.5, options),
  },
  trainer: {
    crossValidate: (options) =>
      trainer.crossValidate({ model, data: data(), folds: 2, epochs: 1, progress: false, ...(options as object) }),
    earlyStopping: (options) => trainer.earlyStopping(options),
    evaluate: (options) => trainer.evaluate(model(), data(), options),
    evaluateTasks: (options) => trainer.evaluateTasks(model(), data(), options),
    fineTune: (options) =>
      trainer.fineTune(model(), data(), { epochs: 1, headEpochs: 0, progress: false, ...(options as object) } as never),
    reduceOnPlateau: (options) => trainer.reduceOnPlateau(options),
    tensorBoard: (options) => trainer.tensorBoard(options),
    train: (options) =>
      trainer.train({ model: model(), data: data(), epochs: 1, progress: false, ...(options as object) }),
    trainingHealth: (options) => trainer.trainingHealth(options),
  },
  weights: {
    convert: (options) => weights.convert(at("net.keras"), at("out.h5"), options),
    loadWeights: (options) => weights.loadWeights(model(), at("net.keras"), options),
    saveModel: (options) => weights.saveModel(model(), at("out"), { format: "tfjs", ...(options as object) }),
  },
  predict: {
    classify: (options) => predict.classify(model(), digit as never, options),
    decodePredictions: (options) => predict.decodePredictions({ data: new Float32Array(10), shape: [1, 10] }, options),
    predictor: (options) => predict.predictor(model(), options).predict(digit),
    quantize: (options) => predict.quantize(at("net.keras"), [digit], options),
  },
  inspect: {
    draw: (options) => inspect.draw(model(), options),
    drawPage: (options) => inspect.drawPage(model(), options),
    gradCam: (options) => inspect.gradCam(model(), picture(), options),
    integratedGradients: (options) => inspect.integratedGradients(model(), picture(), options),
    measuredReceptiveField: (options) => inspect.measuredReceptiveField(model(), options),
    occlusion: (options) => inspect.occlusion(model(), picture(), options),
    saliency: (options) => inspect.saliency(model(), picture(), options),
  },
  graph: {
    accelerate: (options) => accelerate(model(), options),
  },
};

beforeAll(async () => {
  await useEngine("wasm");
  for (const name of ["a", "b"]) {
    mkdirSync(at(`images/${name}`), { recursive: true });
    for (let i = 0; i < 3; i++) writeFileSync(at(`images/${name}/${i}.png`), Buffer.from(png, "base64"));
  }
  await weights.saveModel(model(), at("net.keras"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let tried = 0;
describe.each(Object.entries(calls))("%s", (name, functions) => {
  describe.each(Object.entries(functions))("%s refuses", (exported, call) => {
    test.each(wrongValues(name, exported))("$field: $value", async ({ field, value }) => {
      tried += 1;
      const failure = await Promise.resolve()
        .then(() => call({ [field]: value } as Options))
        .then(
          () => undefined,
          (error: unknown) => error as Error,
        );
      expect(failure?.message ?? "it was taken").toContain(field);
      expect(isConvkitError(failure), failure?.stack).toBe(true);
    });
  });
});

test("tries the options of all these functions", () => expect(tried).toBeGreaterThan(100));
