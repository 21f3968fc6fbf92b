/*
 * find.ts [--kills N] [--engine native] [--threads N] [--seed S]: kills a training N times at random moments, and takes it up again.
 * After each kill every file must parse; once a run ends, it must equal the run that nothing disturbed, bit for bit.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { useEngine } from "@convkit/engine";
import { finalName } from "@convkit/files";
import { parseHistory } from "@convkit/trainer";
import { openWeights, saveModel } from "@convkit/weights";
import { Draw } from "../draw.ts";
import { writeImages } from "../hostile/images.ts";
import { smallModel } from "../hostile/weight-subjects.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    engine: { type: "string", default: "native" },
    threads: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});
const bin = fileURLToPath(new URL("../../../../apps/cli/bin/convkit.js", import.meta.url));
const line = (text: string): void => void process.stdout.write(`${text}\n`);

/** All that a run keeps from step to step. */
const plan = {
  optimizer: { name: "adamw", learningRate: 0.002, weightDecay: 0.01 },
  schedule: { name: "cosine", warmup: 1 },
  augment: { flip: "horizontal", rotation: 0.1, brightness: 0.2, mixup: 0.2 },
  ema: 0.9,
  accumulate: 3,
  reduceOnPlateau: { monitor: "loss", minDelta: 100, patience: 2 },
  monitor: "valLoss",
  // Nothing improves by so much: the run stops after its 12th epoch.
  earlyStopping: { monitor: "loss", minDelta: 100, patience: 11 },
};

/** Runs the command; `milliseconds` after its first words it is killed. Resolves to its status, null for a killed one. */
function convkit(args: readonly string[], milliseconds = Infinity): Promise<{ status: number | null; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let err = "";
    child.stderr.on("data", (text) => {
      if (err === "" && Number.isFinite(milliseconds)) setTimeout(() => child.kill("SIGKILL"), milliseconds);
      err += String(text);
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, err }));
  });
}

/** What no clock has a hand in: hashes of the weights and checkpoints, and the history without its seconds. */
function contentOf(run: string): object {
  const hash = (...path: string[]) =>
    createHash("sha256")
      .update(readFileSync(join(run, ...path)))
      .digest("hex");
  return {
    model: readdirSync(join(run, "model")).map((name) => [name, hash("model", name)]),
    checkpoints: readdirSync(join(run, "checkpoints")).map((name) => [name, hash("checkpoints", name, "arrays.bin")]),
    history: readFileSync(join(run, "history.csv"), "utf8").replaceAll(/,[^,\n]*$/gm, ""),
  };
}

/** Throws unless every file that has its final name parses. */
async function checkWhole(run: string): Promise<void> {
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    if (path.split("/").some((part) => finalName(part) !== undefined)) continue;
    if (name.endsWith(".json")) JSON.parse(readFileSync(path, "utf8"));
    if (name === "history.csv") parseHistory(readFileSync(path, "utf8"), path);
    if (name !== "model.json") continue;
    const model = await openWeights(path);
    for (const tensor of model.tensors) tensor.read();
    model.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), "convkit-kills-"));
const [images, network, whole] = ["images", "small", "whole"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
writeImages(images, 40);
await useEngine("wasm", { threads: 1 });
await saveModel(smallModel(), network, { format: "tfjs", metadata: { classes: ["a", "b"] } });
const data = ["--data", images, "--validation", "0.25", "--batch", "2", "--epochs", "40"];
const how = ["--deterministic", "--seed", "5", "--engine", values.engine, "--threads", values.threads];
const begin = (out: string): string[] => {
  return ["train", network, ...data, "--plan", JSON.stringify(plan), ...how, "--out", out];
};
let began = 0;
const undisturbed = convkit(begin(whole));
while (!existsSync(join(whole, "config.json"))) await new Promise((resolve) => setTimeout(resolve, 20));
began = performance.now();
const { status, err } = await undisturbed;
if (status !== 0) throw new Error(`The undisturbed run ended with ${status}: ${err}`);
const duration = performance.now() - began;
const expected = JSON.stringify(contentOf(whole));
line(`undisturbed: ${Math.round(duration)} ms from config.json to the end`);

const draw = new Draw(Number(values.seed));
let [kills, ends, problems] = [0, 0, 0];
for (let attempt = 0; kills < Number(values.kills) || attempt > 0;) {
  const run = join(folder, `broken-${ends}`);
  const isLast = kills >= Number(values.kills);
  const args = existsSync(join(run, "config.json"))
    ? ["train", "--resume", run, "--engine", values.engine]
    : begin(run);
  const said = await convkit(args, isLast ? Infinity : draw.unit() * duration);
  attempt++;
  if (said.status === null) {
    kills++;
    if (existsSync(run)) await checkWhole(run);
    continue;
  }
  const isEqual = said.status === 0 && JSON.stringify(contentOf(run)) === expected;
  if (!isEqual) problems++;
  line(
    `run ${ends}: ${attempt} processes, ${isEqual ? "equal bit for bit" : `DIFFERS, status ${said.status}: ${said.err}`}`,
  );
  ends++;
  attempt = 0;
}
line(`${kills} kills, ${ends} runs, ${problems} of them other than the undisturbed one`);
if (problems > 0) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });
process.exit();
