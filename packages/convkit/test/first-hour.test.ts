import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as convkit from "../src/names.ts";

// The mistakes of a new user's first hour, from JavaScript: each gives one sentence that says what to do, never a bare TypeError.

/** Everything that convkit gives, without its types, as a JavaScript program sees it. */
// oxlint-disable-next-line typescript/no-explicit-any
const c = convkit as Record<string, any>;
const { add, chain, conv, dense, flatten, maxPool, network, train } = c;

const folder = mkdtempSync(join(tmpdir(), "convkit-first-hour-"));
const at = (path: string): string => join(folder, path);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Row = readonly [mistake: string, make: () => unknown, sentence: RegExp];

async function expectSentence(make: () => unknown, sentence: RegExp): Promise<void> {
  const error: unknown = await Promise.resolve()
    .then(make)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(error, "no error").toBeInstanceOf(Error);
  const { message, code, stack } = error as Error & { code?: string };
  expect(message, stack).toMatch(sentence);
  expect(code, stack).toMatch(/^CONVKIT_/);
  expect(message).not.toMatch(/\n|\[object|undefined's/);
}

describe("without an engine", () => {
  const rows: Row[] = [
    [
      "createModel",
      () => c["createModel"]("lenet5"),
      /^lenet5: no engine is in use.*Write `await useEngine\(\)` before/,
    ],
    ["network", () => network([4], dense(2)), /^network: no engine is in use.*`await useEngine\(\)`/],
    ["compile", () => c["compile"](() => 1)(), /await useEngine\("native"\)/],
    [
      "an unknown engine",
      () => c["useEngine"]("cuda"),
      /There is no engine "cuda": the engines are auto, gpu, native, wasm/,
    ],
    [
      "options in the engine's place",
      () => c["useEngine"]({ install: true }),
      /options come second, useEngine\("auto", \{ install/,
    ],
    ["a mistyped option", () => c["useEngine"]("wasm", { thread: 1 }), /got "thread"\. Did you mean "threads"/],
  ];
  test.each(rows)("%s", (_mistake, make, sentence) => expectSentence(make, sentence));
});

describe("with an engine", () => {
  const same = { padding: "same" };
  const labels = Int32Array.from({ length: 8 }, (_, i) => i % 2);
  const dataOf = (shape: readonly number[], given: ArrayLike<number> = labels) =>
    c["fromArrays"]({ images: new Uint8Array(8 * shape.reduce((a, b) => a * b)), shape, labels: given });
  let model: unknown;
  let data: unknown;
  const run = (options: object) => train({ model, data, epochs: 1, progress: false, ...options });

  beforeAll(async () => {
    await c["useEngine"]("wasm");
    model = network([8, 8, 1], chain([conv(2, 3, same), flatten(), dense(2, { activation: "softmax" })]));
    data = dataOf([8, 8, 1]);
    for (const path of ["empty", "one/cat", "flat", "hollow/cat", "hollow/dog"])
      mkdirSync(at(path), { recursive: true });
    // A grey bitmap of one pixel.
    const bitmap = Buffer.alloc(58);
    bitmap.write("BM");
    for (const [place, value] of [[2, 58], [10, 54], [14, 40], [18, 1], [22, 1], [34, 4]] as const) bitmap.writeUInt32LE(value, place); // prettier-ignore
    bitmap.writeUInt16LE(1, 26);
    bitmap.writeUInt16LE(24, 28);
    for (const path of ["one/cat/a.bmp", "flat/a.bmp", "flat/b.bmp"]) writeFileSync(at(path), bitmap);
    writeFileSync(at("note.txt"), "hello");
    writeFileSync(at("fake.png"), "hello");
    writeFileSync(at("fake.keras"), "hello");
    writeFileSync(at("labels.csv"), "a.png\nb.png\n");
  });

  const layers: Row[] = [
    [
      "conv(3, 3)",
      () => conv(3, 3),
      /^conv: expected padding "same", "valid" or numbers, got undefined; TensorFlow and PyTorch/,
    ],
    ["conv()", () => conv(), /^conv: expected filters to be a whole number from 1, got undefined/],
    ["a padding alone", () => conv(8, 3, "same"), /^conv: expected an object of options \(padding, stride.*got "same"/],
    ["Keras' strides", () => conv(8, 3, { ...same, strides: 2 }), /Did you mean "stride"/],
    ["an unknown activation", () => conv(8, 3, { ...same, activation: "rellu" }), /such as "relu", got "rellu"/],
    ["a pool without padding", () => maxPool(2), /^maxPool: expected padding/],
    ["options in the stride's place", () => maxPool(2, same), /^maxPool: expected stride as a whole number/],
    ["a count in text", () => dense("10"), /^dense: expected units to be a whole number from 1, got "10"/],
    ["an activation alone", () => dense(10, "softmax"), /^dense: expected an object of options \(activation/],
    ["dropout in percent", () => c["dropout"](50), /^dropout: expected a rate from 0 to below 1, got 50/],
    ["rescale in text", () => c["rescale"]("1/255"), /^rescale: expected scale to be a finite number, got "1\/255"/],
    [
      "blocks one by one",
      () => chain(flatten(), dense(2)),
      /^chain: expected its blocks in a list, chain\(\[conv.*one by one/,
    ],
    ["no blocks", () => chain([]), /^chain: expected at least one block, got none/],
    ["a hole in the list", () => chain([flatten(), undefined]), /^chain: expected "1" to be a block, got undefined/],
    [
      "a layer that is not called",
      () => network([8, 8, 1], chain([flatten, dense(2)])),
      /flatten gives .*write flatten\(\) for a layer/,
    ],
    ["a flip of no kind", () => c["randomFlip"]("horizontl"), /expected horizontal, vertical, both as mode/],
    ["no defaults", () => c["withDefaults"](), /^withDefaults: expected defaults such as \{ padding: "same"/],
    [
      "a layer of one's own without its object",
      () => c["defineLayer"]("Mine", (x: unknown) => x),
      /^defineLayer Mine: expected \{ call: \(x\) => … \}/,
    ],
    [
      "a layer of one's own without a name",
      () => c["defineLayer"](),
      /^defineLayer: expected a class name such as "Swish2"/,
    ],
    ["a block without filters", () => c["inception"]([1, 2]), /^inception: expected 6 numbers of filters/],
    ["a residual without its path", () => c["residual"](), /^residual: expected main to be a function/],
    ["no bottleneck", () => c["bottleneckCost"](), /^bottleneckCost: expected size to be a whole number/],
  ];
  test.each(layers)("layers: %s", (_mistake, make, sentence) => expectSentence(make, sentence));

  const networks: Row[] = [
    [
      "an input without channels",
      () => network([28, 28], chain([conv(8, 3, same), flatten()])),
      /conv2d: expected a feature map \[h, w, c\], got \[28,28\]/,
    ],
    ["an input of one number", () => network(28, dense(2)), /^network: expected an input such as \[28, 28, 1\]/],
    ["a list for a chain", () => network([8, 8, 1], [flatten()]), /^network: expected a block such as chain\(\[…\]\)/],
    [
      "a name alone",
      () => network([8, 8, 1], flatten(), "digits"),
      /^network: expected an object of options \(name, seed/,
    ],
    ["a layer that is not applied", () => network([8, 8, 1], () => dense(2)), /apply the layer: dense\(10\)\(x\)/],
    [
      "a window beyond the image",
      () => network([4, 4, 1], conv(8, 7, { padding: "valid" })),
      /a 7x7 window does not fit into the 4x4 input/,
    ],
    [
      "branches that do not fit",
      () => network([8, 8, 1], add([conv(2, 3, same), conv(3, 3, same)])),
      /conv2d gives 8x8x2, conv2d_1 gives 8x8x3/,
    ],
    ["Keras' spelling", () => c["createModel"]("ResNet50V2"), /^unknown model "ResNet50V2"; did you mean resnet50v2\?/],
    ["a dash too many", () => c["createModel"]("resnet-50"), /did you mean resnet50\?/],
    ["no name", () => c["createModel"](), /^unknown model undefined; the zoo has lenet5/],
    ["Keras' input_shape", () => c["createModel"]("lenet5", { input_shape: [28, 28, 1] }), /Did you mean "input"/],
    ["too small an image", () => c["createModel"]("vgg16", { input: [8, 8, 3] }), /at least 32x32 pixels, got 8x8/],
    [
      "mistyped weights",
      () => c["createModel"]("resnet50", { weights: "imagnet" }),
      /expected weights to be "imagenet" or a file, but there is no file "imagnet"/,
    ],
    [
      "weights that nobody published",
      () => c["createModel"]("lenet5", { weights: "imagenet" }),
      /o ImageNet weights are published for lenet5; expected a file of weights/,
    ],
  ];
  test.each(networks)("networks: %s", (_mistake, make, sentence) => expectSentence(make, sentence));

  const images: Row[] = [
    [
      "a mistyped name",
      () => c["loadData"]("mnits"),
      /^mnits is neither a known data set \(mnist, .*\) nor a folder that exists/,
    ],
    [
      "no name",
      () => c["loadData"](),
      /^loadData: expected the name of a data set \(mnist, .*\) or a folder, got undefined/,
    ],
    ["a mistyped option", () => c["loadData"]("mnist", { limits: 3 }), /Did you mean "limit"/],
    ["an empty folder", () => c["loadData"](at("empty")), /holds no images; expected a folder for each class/],
    [
      "one class",
      () => c["loadData"](at("one")),
      /has one class only \(cat\); to tell apart there must be at least two folders/,
    ],
    [
      "images without folders",
      () => c["loadData"](at("flat")),
      /no folders of classes: move each image into a folder with the name of its class/,
    ],
    [
      "classes without images",
      () => c["loadData"](at("hollow")),
      /cat, .*dog holds no images .*add some to the class or remove its folder/,
    ],
    ["a text file", () => c["loadData"](at("note.txt")), /is a file; expected a folder of data, shards .*, or a \.csv/],
    [
      "a table without labels",
      () => c["loadData"](at("labels.csv")),
      /expected the columns path and label in line 1, found a\.png/,
    ],
    [
      "plain lists of pixels",
      () => c["fromArrays"]({ images: [[1, 2]], shape: [1, 2, 1], labels: [0] }),
      /images should be a Uint8Array .* or a Float32Array/,
    ],
    [
      "labels missing",
      () => c["fromArrays"]({ images: new Uint8Array(4), shape: [1, 2, 1] }),
      /labels should be a list with the number of each image's class, not undefined/,
    ],
    [
      "a shape missing",
      () => c["fromArrays"]({ images: new Uint8Array(4), labels: [0, 1] }),
      /shape should be \[height, width, channels\], not undefined/,
    ],
    [
      "fewer labels than images",
      () => c["fromArrays"]({ images: new Uint8Array(4), shape: [1, 2, 1], labels: [0] }),
      /there are 2 images but 1 labels/,
    ],
    [
      "names for labels",
      () => c["fromArrays"]({ images: new Uint8Array(4), shape: [1, 2, 1], labels: ["cat", "dog"] }),
      /a label is the number of a class from 0 on, and classes are its names/,
    ],
    ["one-hot labels", () => c["fromArrays"]({ images: new Uint8Array(4), shape: [1, 2, 1], labels: [[0, 1], [1, 0]] }), /label 0 is \[0,1\]; a label is the number/], // prettier-ignore
    ["nothing", () => c["fromArrays"](), /^fromArrays: expected \{ images, shape, labels \}, got nothing/],
    ["a split of a name", () => c["splitOff"]("mnist", 0.1), /^splitOff: expected a data set .*got "mnist"/],
    [
      "a split of no size",
      () => c["splitOff"](data),
      /^splitOff: expected a share such as 0\.1 or a count of images, got undefined/,
    ],
    [
      "text with the name of an image",
      () => c["decodeImage"](at("fake.png")),
      /fake\.png cannot be decoded: it starts as no known image does/,
    ],
    [
      "no image",
      () => c["decodeImage"](),
      /^decodeImage: expected the path of an image file, its bytes or a Blob, got undefined/,
    ],
  ];
  test.each(images)("data: %s", (_mistake, make, sentence) => expectSentence(make, sentence));

  const trainings: Row[] = [
    ["nothing", () => train(), /^train: expected options with model, data and epochs, got undefined/],
    [
      "the model first",
      () => train(model, data),
      /expected one object of options, train\(\{ model, data, epochs: 10 \}\), got a model/,
    ],
    ["no epochs", () => train({ model, data }), /epochs must be a whole number from 1, not undefined/],
    ["epochs in text", () => run({ epochs: "1" }), /epochs must be a whole number from 1, not "1"/],
    ["batchSize", () => run({ batchSize: 2 }), /got "batchSize"\. Did you mean "batch"\?/],
    [
      "learningRate",
      () => run({ learningRate: 0.1 }),
      /it belongs to the optimizer, optimizer: \{ name: "adam", learningRate/,
    ],
    ["metrics", () => run({ metrics: ["acuracy"] }), /Unknown metric "acuracy": .* Did you mean accuracy\?/],
    ["validationData", () => run({ validationData: data }), /Did you mean "validation"\?/],
    ["a mistyped option", () => run({ optimiser: "adam" }), /Did you mean "optimizer"/],
    [
      "an optimizer as Keras writes it",
      () => run({ optimizer: "Adam" }),
      /Unknown optimizer "Adam": .* Did you mean adam\?/,
    ],
    [
      "PyTorch's lr",
      () => run({ optimizer: { name: "adam", lr: 0.1 } }),
      /optimizer has no lr: .* Did you mean learningRate\?/,
    ],
    [
      "a loss as Keras writes it",
      () => run({ loss: "sparse_categorical_crossentropy" }),
      /Did you mean sparse-categorical-crossentropy\?/,
    ],
    ["an unknown schedule", () => run({ schedule: "cosin" }), /Unknown schedule "cosin": known are constant, step/],
    ["an unknown augmentation", () => run({ augment: { rotate: 0.1 } }), /rotation.*got "rotate"/],
    ["one callback", () => run({ callbacks: c["earlyStopping"]() }), /callbacks must be a list, \[earlyStopping\(\)\]/],
    [
      "a callback that is not called",
      () => run({ callbacks: [c["earlyStopping"]] }),
      /it has the function earlyStopping: write earlyStopping\(\)/,
    ],
    ["a patience alone", () => c["earlyStopping"](3), /earlyStopping must be an object of options, not 3/],
    [
      "a promise of a model",
      () => run({ model: Promise.resolve(model) }),
      /expected a model .*got a promise \(write `await` before/,
    ],
    ["the name of a model", () => run({ model: "lenet5" }), /expected a model such as createModel .*got "lenet5"/],
    ["the name of the data", () => run({ data: "mnist" }), /expected data to be a data set .*got "mnist"/],
    ["a promise of data", () => run({ data: Promise.resolve(data) }), /got a promise \(write `await`/],
    [
      "arrays for data",
      () => run({ data: { images: new Uint8Array(64) } }),
      /fromArrays makes a data set of images in memory/,
    ],
    [
      "color images for a gray network",
      () => run({ data: dataOf([8, 8, 3]) }),
      /images of 8x8x3 but network takes 8x8x1/,
    ],
    [
      "too many classes",
      () => run({ data: dataOf([8, 8, 1], [0, 1, 2, 3, 4, 5, 6, 7]) }),
      /has 8 classes but network has 2 outputs/,
    ],
    [
      "images of one class",
      () => run({ data: dataOf([8, 8, 1], new Int32Array(8)) }),
      /at least two (classes )?to tell apart/,
    ],
    [
      "no flatten",
      () => run({ model: network([8, 8, 1], chain([conv(2, 3, same), dense(2)])) }),
      /ends in the shape 8x8x2.*add flatten\(\) or globalAvgPool\(\)/,
    ],
    [
      "Keras' val_loss",
      () => run({ monitor: "val_loss" }),
      /Unknown monitor "val_loss": known are loss, accuracy, valLoss/,
    ],
    ["a monitor without validation", () => run({ monitor: "valAccuracy" }), /no validation data; give some/],
    ["a resume without its run", () => run({ resume: true }), /resume needs the run directory: give out as well/],
    ["no data to evaluate", () => c["evaluate"](model), /^evaluate: expected a data set .*got undefined/],
    ["splits to evaluate", () => c["evaluate"](model, { name: "x", train: data }), /^evaluate: expected a data set/],
    [
      "weights of no classes",
      () => c["balancedClassWeights"](),
      /^balancedClassWeights: expected labels and the number of classes/,
    ],
  ];
  test.each(trainings)("training: %s", (_mistake, make, sentence) => expectSentence(make, sentence));

  const uses: Row[] = [
    ["no image", () => c["classify"](model), /^classify: expected an image as a file's path.*got undefined/],
    [
      "image and model exchanged",
      () => c["classify"]("a.png", model),
      /^Expected a model .*got "a\.png", which is not there/,
    ],
    ["text with the name of an image", () => c["classify"](model, at("fake.png")), /fake\.png cannot be decoded/],
    [
      "pixels of another size",
      () => c["classify"](model, { data: new Uint8Array(12), shape: [2, 6, 1] }),
      /the model's size 8x8x1, got 2x6x1; give the file/,
    ],
    ["no model to predict", () => c["predictor"](), /^predictor: expected a model/],
    ["a file to predict", () => c["predictor"](model).predict("x.png"), /expected \{ data, shape \}/],
    [
      "no scores",
      () => c["decodePredictions"](),
      /^decodePredictions: expected scores of the shape \[images, classes\]/,
    ],
    ["no file of a model", () => c["loadModel"](at("none.keras")), /none\.keras: there is no such file/],
    [
      "no path",
      () => c["loadModel"](),
      /^loadModel: expected the path of a file or folder, a URL, bytes, a Blob or a list of Files, got undefined/,
    ],
    [
      "text with the name of a model",
      () => c["loadModel"](at("fake.keras")),
      /fake\.keras, byte 0: this is no file of weights that is known/,
    ],
    ["no path to save to", () => c["saveModel"](model), /^saveModel: expected the path of a file or folder/],
    [
      "path and model exchanged",
      () => c["saveModel"]("m.keras", model),
      /^saveModel: expected a model .*got "m\.keras"/,
    ],
    [
      "an unknown ending",
      () => c["saveModel"](model, at("m.xyz")),
      /m\.xyz: expected a path that ends in \.keras, \.h5/,
    ],
    [
      "weights and model exchanged",
      () => c["loadWeights"]("w.h5", model),
      /^loadWeights: expected a model .*got "w\.h5"/,
    ],
    [
      "the name of a model to sum up",
      () => c["summaryText"]("lenet5"),
      /^summaryText: expected a model .*got "lenet5"/,
    ],
    ["no model to sum up", () => c["summarize"](), /^summarize: expected a model/],
    ["one stride", () => c["features"](model, 4), /expected a list of strides or layer names, got 4/],
    ["no model for features", () => c["features"](), /^features: expected a model/],
    ["no model to freeze", () => c["freeze"](), /^freeze: expected a model/],
    [
      "an unknown layer to freeze up to",
      () => c["freeze"](model, "conv9"),
      /expected the name of a layer, got "conv9"; there are input_layer, conv2d/,
    ],
    [
      "a head without classes",
      () => c["replaceHead"](model),
      /expected classes to be a whole number from 1, got undefined/,
    ],
    ["a head of no model", () => c["replaceHead"](undefined, 5), /^replaceHead: expected a model/],
    ["receptive fields of no model", () => c["receptiveFields"](), /^receptiveFields: expected a model/],
    ["metadata of no model", () => c["modelMetadata"](), /^modelMetadata: expected a model/],
    ["no metadata", () => c["setModelMetadata"](model), /^setModelMetadata: expected an object of metadata/],
    [
      "unknown metadata",
      () => c["setModelMetadata"](model, { labels: ["a"] }),
      /expected the options name, architecture, .*got "labels"/,
    ],
    ["no model to accelerate", () => c["accelerate"]("lenet5"), /^accelerate: expected a model .*got "lenet5"/],
    ["no function to compile", () => c["compile"]("x"), /^compile: expected a function of tensors, got "x"/],
    ["a number for a pattern", () => c["list"](5), /^list: expected a pattern such as "resnet\*", got 5/],
    ["no report", () => c["writeReport"](), /^writeReport: expected the path of a file and/],
  ];
  test.each(uses)("use: %s", (_mistake, make, sentence) => expectSentence(make, sentence));
});
