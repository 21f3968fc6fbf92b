import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { availableEngines, useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call, spawned, type Strike } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "convkit-resume-"));

/** A network of 16x16 images with what a checkpoint must keep more of than weights: dropout, and a norm's statistics. */
async function smallNetwork(folder: string): Promise<string> {
  const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [16, 16, 3],
        filters: 4,
        kernelSize: 3,
        strides: 2,
        activation: "relu",
        kernelInitializer: kernelInitializer(1),
      }),
      tfl.layers.batchNormalization(),
      tfl.layers.flatten(),
      tfl.layers.dropout({ rate: 0.3 }),
      tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer: kernelInitializer(2) }),
    ],
  });
  const metadata = { name: "small", classes: ["blue", "red"], preprocessing: { scale: 1 / 255 } };
  await saveModel(model, folder, { format: "tfjs", metadata });
  return folder;
}

type Fate = readonly [title: string, strike: Strike];

/** Signals for runs of so many steps an epoch, each time they are taken up again. */
const fates = (steps: number, epochs: number) => {
  const checkpoint = (step: number) => new RegExp(`step-${String(step).padStart(8, "0")}$`);
  return {
    beforeFirst: ["killed before its first step", { signal: "SIGKILL", path: /config\.json$/, nth: 2 }],
    firstEpoch: ["killed in its first epoch", { signal: "SIGKILL", path: /config\.json$/, nth: 1, looks: 60 }],
    firstRow: ["killed before the row of its first epoch is written", { signal: "SIGKILL", path: /history\.csv$/ }],
    firstCheckpoint: ["killed between its first model and checkpoint", { signal: "SIGKILL", path: checkpoint(steps) }],
    secondEpoch: ["killed in its second epoch", { signal: "SIGKILL", path: checkpoint(steps), looks: 60 }],
    interrupted: ["interrupted in an epoch", { signal: "SIGINT", path: /config\.json$/, looks: 60 }],
    terminated: ["terminated in an epoch begun in its middle", { signal: "SIGTERM", path: /config\.json$/, looks: 40 }],
    betterModel: ["killed after a better model was written", { signal: "SIGKILL", path: checkpoint(2 * steps) }],
    lastCheckpoint: ["killed within its last checkpoint", { signal: "SIGKILL", path: checkpoint(epochs * steps) }],
    evaluated: ["killed after its last epoch", { signal: "SIGKILL", path: /metrics\.json$/ }],
  } as const satisfies Record<string, Fate>;
};

/**
 * Measured times, the checksum over them, and the path of the run. `measured` also counts the images of each process' first call, which
 * compiles and is left out of images per second: a run that was taken up again has more such calls.
 */
const clocked = ["seconds", "imagesPerSecond", "timings", "measured", "crc32", "run"];

/** All that a run leaves and that no clock has a hand in. */
function left(out: string) {
  const read = (...path: string[]) => readFileSync(join(out, ...path), "utf8");
  const bytes = (...path: string[]) => readFileSync(join(out, ...path)).toString("base64");
  const checkpoints = readdirSync(join(out, "checkpoints"));
  const untimed = (_key: string, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).filter(([key]) => !clocked.includes(key)));
  };
  return {
    files: readdirSync(out).toSorted(),
    model: readdirSync(join(out, "model")).map((name) => [name, bytes("model", name)]),
    history: read("history.csv")
      .split("\n")
      .map((line) => line.replace(/,[^,]*$/, "")),
    metrics: JSON.parse(read("metrics.json"), untimed) as object,
    config: JSON.parse(read("config.json")) as object,
    checkpoints: checkpoints.map((name) => [
      name,
      JSON.parse(read("checkpoints", name, "checkpoint.json"), untimed),
      bytes("checkpoints", name, "arrays.bin"),
    ]),
  };
}

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe.skipIf(!(await availableEngines()).includes("native"))(
  "a run killed at any point and resumed is the run that never stopped, bit for bit",
  { shuffle: false },
  () => {
    let images: string;
    let network: string;
    beforeAll(async () => {
      await useEngine("native");
      images = await colorFolder(join(root, "colors"), ["blue", "red"], 30);
      network = await smallNetwork(join(root, "small"));
    });

    const common = ["--deterministic", "--engine", "native", "--seed", "5", "--json"];
    const split = ["--validation", "0.2", "--batch", "2"];
    const everything = {
      optimizer: { name: "adamw", learningRate: 0.002, weightDecay: 0.01, globalClipNorm: 1 },
      schedule: { name: "cosine", warmup: 1 },
      augment: { flip: "horizontal", rotation: 0.1, brightness: 0.2, mixup: 0.2 },
      classWeights: "balanced",
      ema: 0.9,
      accumulate: 3,
      reduceOnPlateau: { monitor: "loss", minDelta: 100, patience: 1 },
      // Nothing improves by so much, so that it stops after the third epoch.
      monitor: "valLoss",
      earlyStopping: { monitor: "loss", minDelta: 100, patience: 2 },
    };
    const lenet5 = fates(100, 3);
    const all = fates(24, 3);
    const cases: readonly [string, () => string[], number, readonly Fate[]][] = [
      [
        "LeNet-5 and plain SGD",
        () => ["lenet5-mnist", "--limit", "200", "--batch", "2", "--epochs", "3"],
        100,
        [lenet5.beforeFirst, lenet5.firstCheckpoint, lenet5.interrupted, lenet5.betterModel, lenet5.lastCheckpoint],
      ],
      [
        "augmentation, dropout, an average, a schedule, gathered gradients and early stopping",
        () => [network, "--data", images, ...split, "--epochs", "6", "--plan", JSON.stringify(everything)],
        24,
        [all.firstEpoch, all.firstRow, all.secondEpoch, all.interrupted, all.terminated, all.evaluated],
      ],
    ];

    describe.each(cases)("with %s", (title, args, stepsPerEpoch, struck) => {
      const place = title.replaceAll(/\W+/g, "-");
      const [whole, broken] = [join(root, `${place}-whole`), join(root, `${place}-broken`)];

      beforeAll(async () => {
        const { status, out, err } = await spawned(["train", ...args(), ...common, "--out", whole]);
        expect(status, err).toBe(0);
        expect(JSON.parse(out)).toMatchObject({ epochs: 3 });
      });

      test.each(struck)("%s", async (_title, strike) => {
        const begun = existsSync(join(broken, "config.json"));
        const line = begun
          ? ["train", "--resume", broken, "--engine", "native", "--json"]
          : ["train", ...args(), ...common, "--out", broken];
        const { status, signal, err } = await spawned(line, { strike });
        if (strike.signal === "SIGKILL") {
          expect([status, signal], err).toEqual([null, "SIGKILL"]);
          return;
        }
        expect([status, signal], err).toEqual([strike.signal === "SIGINT" ? 130 : 143, null]);
        const [checkpoint] = readdirSync(join(broken, "checkpoints"));
        expect(Number(checkpoint!.slice("step-".length)) % stepsPerEpoch).not.toBe(0);
      });

      test("ends as the other", async () => {
        const { status, err } = await spawned(["train", "--resume", broken, "--engine", "native", "--json"]);
        expect(status, err).toBe(0);
        expect(left(broken)).toEqual(left(whole));
        expect((await call("summary", broken, "--json")).status).toBe(0);
      });
    });
  },
);

describe.skipIf(!(await availableEngines()).includes("native"))(
  "a run begun on wasm, where native is there too",
  () => {
    test.each([
      [
        "goes on with the best engine, and says so",
        [],
        "native",
        /^The run began on the wasm engine and goes on with the native/m,
      ],
      ["keeps its engine where bits count", ["--deterministic"], "wasm", /^(?![^]*The run began on)/],
    ])("%s", async (_title, args, engine, message) => {
      const out = join(root, `wasm${args.join("")}`);
      const line = ["lenet5-mnist", "--limit", "64", "--epochs", "1", ...args, "--engine", "wasm", "--out", out];
      const begun = await spawned(["train", ...line]);
      expect(begun.status, begun.err).toBe(0);
      const { status, err } = await spawned(["train", "--resume", out, "--epochs", "2"]);
      expect([status, err]).toEqual([0, expect.stringMatching(message)]);
      const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as { environment: object };
      expect(config.environment).toMatchObject({ engine });
    });
  },
);
