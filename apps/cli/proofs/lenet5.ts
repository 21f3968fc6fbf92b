// Trains the quick recipe of LeNet-5 with convkit and with Keras, on the same MNIST with the same optimizer, schedule, batch and
// epochs, and compares the accuracies on the test images. Writes what came of it to `results/lenet5.json`.
//
//     pnpm --filter @convkit/cli prove:lenet5
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dataSets, packagesSeenFrom } from "@convkit/datasets";
import { runPeer } from "@convkit/testing";
import { recipes } from "@convkit/trainer/recipes";

const seeds = [0, 1, 2];
const bin = fileURLToPath(new URL("../bin/convkit.js", import.meta.url));
const { optimizer, batch, epochs, schedule } = recipes["lenet5-mnist"].quick;

interface Trained {
  readonly accuracy: number;
}

async function convkit(seed: number): Promise<Trained> {
  const folder = await mkdtemp(join(tmpdir(), "convkit-lenet5-"));
  try {
    const args = [
      bin,
      "train",
      "lenet5-mnist",
      "--quick",
      "--seed",
      String(seed),
      "--out",
      join(folder, "run"),
      "--json",
    ];
    const { final } = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as {
      final: { valAccuracy: number };
    };
    // The recipe validates on the test images. Of the last epoch, as Keras' fit leaves it, not of the best.
    return { accuracy: final.valAccuracy };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const python = `
import json, sys
import keras, numpy as np

folder, seed, rate, least, batch, epochs = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:5]), *map(int, sys.argv[5:7])

def images(name):
    return np.fromfile(f"{folder}/{name}-images-idx3-ubyte", "uint8")[16:].reshape(-1, 28, 28, 1).astype("float32") / 255

def labels(name):
    return np.fromfile(f"{folder}/{name}-labels-idx1-ubyte", "uint8")[8:].astype("int32")

keras.utils.set_random_seed(seed)
layers = keras.layers
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(6, 5, padding="same", activation="relu"), layers.MaxPooling2D(2),
    layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
    layers.Flatten(), layers.Dense(120, activation="relu"), layers.Dense(84, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
x, y, steps = images("train"), labels("train"), -(-60000 // batch) * epochs
model.compile(
    optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps, alpha=least)),
    loss="sparse_categorical_crossentropy", metrics=["accuracy"],
)
model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)
accuracy = float(model.evaluate(images("t10k"), labels("t10k"), batch_size=500, verbose=0)[1])
print(json.dumps(dict(accuracy=accuracy, version=keras.__version__)))
`;

function keras(seed: number): Trained & { readonly version: string } {
  const place = dataSets.mnist.find({ resolve: packagesSeenFrom(import.meta.url) });
  if (optimizer?.learningRate === undefined || schedule?.name !== "cosine")
    throw new Error("The quick recipe of LeNet-5 must have a learning rate and the cosine schedule.");
  const numbers = [seed, optimizer.learningRate, schedule.min ?? 0, batch, epochs].map(String);
  return JSON.parse(
    runPeer(python, [place, ...numbers])
      .trim()
      .split("\n")
      .at(-1)!,
  ) as Trained & { version: string };
}

const rows: { seed: number; convkit: Trained; keras: Trained }[] = [];
for (const seed of seeds) rows.push({ seed, convkit: await convkit(seed), keras: keras(seed) });
const mean = (system: "convkit" | "keras") => rows.reduce((sum, row) => sum + row[system].accuracy, 0) / rows.length;
const result = {
  recipe: { optimizer, schedule, batch, epochs },
  rows,
  means: { convkit: mean("convkit"), keras: mean("keras") },
  difference: Math.abs(mean("convkit") - mean("keras")),
  atMost: 0.003,
  machine: { processor: cpus()[0]?.model, threads: cpus().length },
};
const text = `${JSON.stringify(result, undefined, 2)}\n`;
await writeFile(new URL("results/lenet5.json", import.meta.url), text);
process.stdout.write(text);
if (result.difference > result.atMost) process.exitCode = 1;
