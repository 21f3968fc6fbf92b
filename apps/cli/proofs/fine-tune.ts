// Fine-tunes ResNet-20 on 400 photographs of cats and dogs with convkit and with Keras: the same weights, photographs, order and
// recipe, in turn in one run. The weights come from telling by how many right angles other photographs were turned (Gidaris, Singh and
// Komodakis 2018, https://arxiv.org/abs/1803.07728), which needs no labels. Writes losses, accuracies and seconds to
// `results/fine-tune.json`.
//
//     pnpm convkit data fetch cats-vs-dogs-32
//     pnpm --filter @convkit/cli prove:fine-tune
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { modelMetadata, preprocess, replaceHead } from "@convkit/core";
import { depthGroups } from "@convkit/core/internal";
import { fromArrays, type IndexedDataset, loadData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { runPeer } from "@convkit/testing";
import { evaluate, fineTune, train } from "@convkit/trainer";
import { loadModel, saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";

const recipe = { batch: 16, headEpochs: 1, epochs: 3, learningRate: 0.002, stemRate: 0.01 };
const photos = 400;
const side = 32;
const rounds = 3;

interface Tuned {
  /** The mean loss of each epoch: the head alone, then everything. */
  readonly losses: readonly number[];
  readonly accuracy: number;
  readonly seconds: number;
}

/** Photographs turned by 0 to 3 right angles, which are the classes. */
async function turned(data: IndexedDataset): Promise<IndexedDataset> {
  const size = side * side * 3;
  const images = new Uint8Array(4 * data.size * size);
  for await (const { images: all } of data.batches({ batch: data.size }))
    for (let photo = 0; photo < data.size; photo += 1)
      for (let turns = 0; turns < 4; turns += 1)
        for (let y = 0; y < side; y += 1)
          for (let x = 0; x < side; x += 1) {
            const last = side - 1;
            const [row, column] = [
              [y, x],
              [x, last - y],
              [last - y, last - x],
              [last - x, y],
            ][turns]!;
            const from = photo * size + (row! * side + column!) * 3;
            images.set(all.subarray(from, from + 3), (4 * photo + turns) * size + (y * side + x) * 3);
          }
  return fromArrays({
    images,
    shape: [side, side, 3],
    labels: Int32Array.from({ length: 4 * data.size }, (_, place) => place % 4),
    classes: ["0", "90", "180", "270"],
  });
}

/** Preprocessed images, `[n, 32, 32, 3]` of float32, as Keras takes them. */
async function writeImages(file: string, data: IndexedDataset, how: Parameters<typeof preprocess>[1]): Promise<void> {
  for await (const { images, shape } of data.batches({ batch: data.size })) {
    const prepared = tf.tidy(() => preprocess(tf.tensor4d(images, shape), how));
    await writeFile(file, (await prepared.data()) as Float32Array);
    prepared.dispose();
  }
}

async function tuneHere(file: string, data: IndexedDataset, test: IndexedDataset): Promise<Tuned> {
  const { batch, headEpochs, epochs, learningRate } = recipe;
  const given = await loadModel(file);
  const begin = performance.now();
  const { model, stages } = await fineTune(given, data, {
    batch,
    headEpochs,
    epochs,
    optimizer: { name: "adam", learningRate },
    restoreBest: false,
    progress: false,
    seed: 0,
  });
  const seconds = (performance.now() - begin) / 1000;
  const { accuracy } = await evaluate(model, test);
  return { losses: stages.flatMap(({ history }) => history.map(({ loss }) => loss)), accuracy, seconds };
}

const python = `
import json, math, sys, time
import keras, numpy as np

folder, batch, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
plan = json.load(open(f"{folder}/plan.json"))
x, xt = (np.fromfile(f"{folder}/{name}.bin", "float32").reshape(-1, 32, 32, 3) for name in ("train", "test"))
y, yt = (np.array(plan[name], "int32") for name in ("labels", "testLabels"))

class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps
    def __call__(self, step):
        ops = keras.ops
        step = ops.cast(step, "float32")
        top = 0.3 * self.steps - 1
        anneal = lambda a, b, part: b + (a - b) * (1 + ops.cos(math.pi * part)) / 2
        down = ops.clip((step - top) / (self.steps - 1 - top), 0, 1)
        return self.peak * ops.where(step <= top, anneal(1 / 25, 1.0, ops.clip(step / top, 0, 1)), anneal(1.0, 1 / 25e4, down))

class LayerAdam(keras.optimizers.Adam):
    def __init__(self, factors, **options):
        super().__init__(**options)
        self.factors = factors
    def update_step(self, gradient, variable, learning_rate):
        # With TensorFlow, the variable is TensorFlow's own, which has no path.
        path = self._trainable_variables[self._get_variable_index(variable)].path
        super().update_step(gradient, variable, learning_rate * self.factors[path])

model = keras.models.load_model(f"{folder}/start.keras")
factors = {weight.path: plan["factors"][layer.name] for layer in model.layers for weight in layer.weights}
steps, losses = -(-len(x) // batch), []
begin = time.time()
for stage in plan["stages"]:
    for layer in model.layers:
        isNorm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = (layer.name == plan["head"] or not stage["headAlone"]) and not isNorm
    schedule = OneCycle(rate * stage["rate"], steps * len(stage["orders"]))
    each = {path: 1.0 for path in factors} if stage["headAlone"] else factors
    model.compile(LayerAdam(each, learning_rate=schedule), "sparse_categorical_crossentropy")
    for order in stage["orders"]:
        losses.append(model.fit(x[order], y[order], batch_size=batch, shuffle=False, verbose=0).history["loss"][0])
seconds = time.time() - begin
accuracy = float(np.mean(model.predict(xt, verbose=0).argmax(1) == yt))
print(json.dumps(dict(losses=losses, accuracy=accuracy, seconds=seconds, version=keras.__version__)))
`;

/** The order of the photographs in each epoch of a training with the seed 0. */
async function orders(data: IndexedDataset, epochs: number): Promise<number[][]> {
  const all: number[][] = [];
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const order: number[] = [];
    for await (const { indices } of data.batches({ batch: recipe.batch, shuffle: true, seed: 0, epoch }))
      order.push(...indices);
    all.push(order);
  }
  return all;
}

await useEngine("native");
const splits = await loadData("cats-vs-dogs-32");
const places = Array.from({ length: splits.train.size }, (_, place) => place);
// Cats come first, so that places at equal distances have as many cats as dogs.
const few = splits.train.select(places.filter((place) => place % 4 === 0));
const others = splits.train.select(places.filter((place) => place % 4 === 1));
if (few.size !== photos) throw new Error(`There must be ${photos} photographs, not ${few.size}.`);
const folder = await mkdtemp(join(tmpdir(), "convkit-fine-tune-"));
try {
  const network = createModel("resnet20-cifar10", { classes: 4, seed: 1 });
  const rotations = await turned(others);
  await train({ model: network, data: rotations, epochs: 2, batch: 32, optimizer: "adam", progress: false });
  const start = replaceHead(network, 2, { seed: 2 });
  const file = join(folder, "start.keras");
  await saveModel(start, file);
  const preprocessing = modelMetadata(start).preprocessing ?? {};
  await writeImages(join(folder, "train.bin"), few, preprocessing);
  await writeImages(join(folder, "test.bin"), splits.test, preprocessing);
  const groups = depthGroups(start);
  const decay = recipe.stemRate ** (1 / (groups.length - 1));
  const factors = groups.flatMap((layers, group) =>
    layers.map(({ name }) => [name, decay ** (groups.length - 1 - group)]),
  );
  const plan = {
    labels: [...few.labels],
    testLabels: [...splits.test.labels],
    factors: Object.fromEntries(factors) as Record<string, number>,
    head: start.layers.findLast(({ weights }) => weights.length > 0)!.name,
    stages: [
      { headAlone: true, rate: 1, orders: await orders(few, recipe.headEpochs) },
      { headAlone: false, rate: 0.5, orders: await orders(few, recipe.epochs) },
    ],
  };
  await writeFile(join(folder, "plan.json"), JSON.stringify(plan));
  const rows: { convkit: Tuned; keras: Tuned & { readonly version: string } }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const told = runPeer(python, [folder, String(recipe.batch), String(recipe.learningRate)])
      .trim()
      .split("\n");
    const keras = JSON.parse(told.at(-1)!) as Tuned & { version: string };
    rows.push({ convkit: await tuneHere(file, few, splits.test), keras });
  }
  const differences = rows.flatMap(({ convkit, keras }) =>
    convkit.losses.map((loss, epoch) => Math.abs(loss - keras.losses[epoch]!) / loss),
  );
  const result = {
    network: "resnet20-cifar10",
    photographs: { train: few.size, test: splits.test.size },
    recipe,
    rows,
    largestDifferenceOfLosses: Math.max(...differences),
    atMost: 0.001,
    machine: { processor: cpus()[0]?.model, threads: cpus().length },
  };
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  await writeFile(new URL("results/fine-tune.json", import.meta.url), text);
  process.stdout.write(text);
  if (!(result.largestDifferenceOfLosses <= result.atMost)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
