/*
 * find.ts [--kills N] [--engines native,wasm] [--threads 1,2] [--ways everything,plain,tuned,targets] [--seed S]: kills trainings and a download N times, at drawn moments
 * and in the middle of writing, and takes them up again. After each kill every file must parse; once a run ends, it must equal the
 * run that nothing disturbed, bit for bit.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import { Draw } from "../draw.ts";
import { writeImages, writeTargets } from "../hostile/images.ts";
import { smallModel } from "../hostile/weight-subjects.ts";
import { killedDownload } from "./downloads.ts";
import { type Blow, convkit } from "./process.ts";
import { checkWhole, contentOf } from "./run-content.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    engines: { type: "string", default: "native,wasm" },
    threads: { type: "string", default: "1,2" },
    ways: { type: "string", default: "everything,plain,tuned,targets" },
    seed: { type: "string", default: "1" },
  },
});
const line = (text: string): void => void process.stdout.write(`${text}\n`);

/** All that a run keeps from step to step. */
const everything = {
  optimizer: { name: "adamw", learningRate: 0.002, weightDecay: 0.01 },
  schedule: { name: "cosine", warmup: 1 },
  augment: { flip: "horizontal", rotation: 0.1, brightness: 0.2, mixup: 0.2 },
  ema: 0.9,
  accumulate: 3,
  reduceOnPlateau: { monitor: "loss", minDelta: 100, patience: 2 },
  monitor: "valLoss",
  // Nothing improves by so much: the run stops after its 6th epoch.
  earlyStopping: { monitor: "loss", minDelta: 100, patience: 5 },
};
const plain = { optimizer: { name: "momentum", learningRate: 0.01 }, schedule: { name: "step", at: [2, 4] } };

/** The files in whose writing a run is killed, and how many of each it writes. */
const written: readonly (readonly [pattern: string, most: number])[] = [
  ["arrays\\.bin$", 6],
  ["checkpoint\\.json$", 6],
  ["step-\\d+$", 6],
  ["history\\.csv$", 6],
  ["model\\.json$", 2],
  ["weights[^/]*\\.bin$", 2],
  ["config\\.json$", 2],
  ["metrics\\.json$", 1],
  ["report\\.html$", 1],
];

const folder = mkdtempSync(join(tmpdir(), "convkit-kills-"));
const [images, network] = [join(folder, "images"), join(folder, "small")];
const [shards, list] = [join(folder, "shards"), join(folder, "targets.csv")];
writeImages(images, 20);
writeTargets(list, 20);
await useEngine("wasm", { threads: 1 });
await saveModel(smallModel(), network, { format: "tfjs", metadata: { classes: ["a", "b"] } });

const sharded = await convkit(["data", "shard", images, shards, "--quiet"]);
if (sharded.status !== 0) throw new Error(`The shards were not written: ${sharded.err}`);
const planned = (plan: object): string[] => ["--data", images, "--plan", JSON.stringify(plan)];

/** The ways of training, with their options. */
const ways: Readonly<Record<string, readonly string[]>> = {
  everything: planned(everything),
  plain: planned(plain),
  // Two stages with a teacher, from shards, with a row for each step, health, and a checkpoint of the best epoch.
  tuned: [
    "--data",
    shards,
    "--recipe",
    "fine-tune",
    "--head-epochs",
    "1",
    "--teacher",
    network,
    "--log-steps",
    "1",
    "--health",
    "3",
    "--keep-best",
    "1",
    "--plan",
    JSON.stringify({ augment: everything.augment }),
  ],
  // Labels and numbers of a table, in two outputs.
  targets: ["--data", list, "--labels", "kinds", "--numbers", "height", "--plan", JSON.stringify({ ema: 0.9 })],
};

interface Setting {
  readonly engine: string;
  readonly threads: string;
  readonly way: string;
}

const settings: Setting[] = values.engines.split(",").flatMap((engine) =>
  // wasm has one thread.
  (engine === "wasm" ? ["1"] : values.threads.split(",")).flatMap((threads) =>
    values.ways.split(",").map((way) => ({ engine, threads, way })),
  ),
);

function begin({ engine, threads, way }: Setting, out: string): string[] {
  const length = ["--validation", "0.25", "--batch", "2", "--epochs", "6"];
  const how = ["--deterministic", "--seed", "5", "--engine", engine, "--threads", threads];
  return ["train", network, ...ways[way]!, ...length, ...how, "--out", out];
}

const draw = new Draw(Number(values.seed));
const drawBlow = (duration: number): Blow => {
  if (draw.flip()) return { after: draw.unit() * duration * 0.6 };
  const [path, most] = draw.of(...written);
  return { path, nth: draw.int(1, most) };
};

let [kills, ends, problems] = [0, 0, 0];
const wanted = Number(values.kills);
const each = Math.ceil((wanted * 0.8) / settings.length);

/** Kills runs of one setting `each` times; each run is taken up again until it ends. */
async function tryOut(setting: Setting, place: number): Promise<void> {
  const whole = join(folder, `whole-${place}`);
  const began = performance.now();
  const { status, err } = await convkit(begin(setting, whole));
  if (status !== 0) throw new Error(`The undisturbed run ended with ${status}: ${err}`);
  const duration = performance.now() - began;
  const expected = contentOf(whole);
  for (let [left, attempt, run] = [each, 0, `${whole}-broken-0`]; left > 0 || attempt > 0;) {
    const isBegun = existsSync(join(run, "config.json"));
    const args = isBegun ? ["train", "--resume", run, "--engine", setting.engine] : begin(setting, run);
    const said = await convkit(args, left > 0 ? drawBlow(duration) : undefined);
    attempt++;
    if (said.status === null) {
      [kills, left] = [kills + 1, left - 1];
      if (existsSync(run)) await checkWhole(run);
      continue;
    }
    const isEqual = said.status === 0 && contentOf(run) === expected;
    if (!isEqual) problems++;
    const result = isEqual ? "equal bit for bit" : `DIFFERS, status ${said.status}: ${said.err}`;
    line(`${setting.engine}, ${setting.threads} threads, ${setting.way}, run ${ends}: ${attempt} processes, ${result}`);
    [ends, attempt, run] = [ends + 1, 0, `${whole}-broken-${ends + 1}`];
  }
}

for (const [place, setting] of settings.entries()) await tryOut(setting, place);
const downloads = wanted - kills;
const wrong = await killedDownload(folder, Math.max(1, downloads), draw);
for (const problem of wrong) line(`download: ${problem}`);
line(`${kills} kills of ${ends} runs, ${problems} other than the undisturbed ones; ${downloads} kills of a download`);
if (problems + wrong.length > 0) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });
process.exit();
