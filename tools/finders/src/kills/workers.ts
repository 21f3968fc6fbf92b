/*
 * workers.ts [--kills N] [--replicas 2,3] [--stops] [--seed S]: trains in several processes with --restarts, and kills one of them N times at
 * drawn moments, from its start on; with --stops, half of the blows stop a process instead, which then stands still. No command is given
 * twice: the run must end by itself, with every file whole and with the bits of a run that nothing disturbed, and leave no process behind.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import { Draw } from "../draw.ts";
import { writeImages } from "../hostile/images.ts";
import { smallModel } from "../hostile/weight-subjects.ts";
import { bin } from "./process.ts";
import { checkWhole, contentOf } from "./run-content.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "10" },
    replicas: { type: "string", default: "2,3" },
    stops: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
  },
});
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const draw = new Draw(Number(values.seed));
const wanted = Number(values.kills);

const folder = mkdtempSync(join(tmpdir(), "convkit-worker-kills-"));
const [images, network] = [join(folder, "images"), join(folder, "small")];
writeImages(images, 20);
await useEngine("wasm", { threads: 1 });
await saveModel(smallModel(), network, { format: "tfjs", metadata: { classes: ["a", "b"] } });

/** All that a run keeps from step to step. */
const plan = {
  optimizer: { name: "adamw", learningRate: 0.002, weightDecay: 0.01 },
  schedule: { name: "cosine", warmup: 1 },
  augment: { flip: "horizontal", rotation: 0.1, mixup: 0.2 },
  ema: 0.9,
  accumulate: 3,
};

interface Ended {
  readonly status: number | null;
  readonly err: string;
  readonly seconds: number;
  readonly blows: number;
}

/** Trains in so many processes. `moments` are seconds from a start of the processes to a blow at one of them, one for each start. */
function trainIn(replicas: number, out: string, moments: readonly number[]): Promise<Ended> {
  const length = ["--validation", "0.25", "--batch", "6", "--epochs", "30", "--worker-timeout", "20"];
  const how = ["--deterministic", "--seed", "5", "--threads", "1", "--plan", JSON.stringify(plan)];
  const several = ["--replicas", String(replicas), "--restarts", String(moments.length + 1)];
  const args = ["train", network, "--data", images, ...length, ...how, ...several, "--out", out];
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    const left = [...moments];
    let [err, blows] = ["", 0];
    createInterface({ input: child.stderr }).on("line", (text) => {
      err += `${text}\n`;
      const pids = [...text.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));
      const seconds = left[0];
      if (pids.length === 0 || seconds === undefined) return;
      left.shift();
      setTimeout(() => {
        try {
          process.kill(draw.of(...pids), values.stops && draw.flip() ? "SIGSTOP" : "SIGKILL");
          blows += 1;
        } catch {
          // The training has ended before.
        }
      }, seconds * 1000);
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, err, blows, seconds: (performance.now() - began) / 1000 }));
  });
}

/** Processes that a run has named and that are still there. */
function leftBehind(err: string): number[] {
  const pids = [...err.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

let [kills, runs, problems] = [0, 0, 0];
const counts = values.replicas.split(",").map(Number);
for (const [place, replicas] of counts.entries()) {
  const whole = join(folder, `whole-${replicas}`);
  const undisturbed = await trainIn(replicas, whole, []);
  if (undisturbed.status !== 0)
    throw new Error(`The undisturbed run ended with ${undisturbed.status}: ${undisturbed.err}`);
  const expected = contentOf(whole);
  const end = Math.ceil((wanted * (place + 1)) / counts.length);
  while (kills < end) {
    const out = join(folder, `killed-${runs}`);
    const moments = Array.from({ length: Math.min(5, end - kills) }, () => draw.unit() * undisturbed.seconds);
    const { status, err, blows, seconds } = await trainIn(replicas, out, moments);
    const behind = leftBehind(err);
    if (status === 0) await checkWhole(out);
    const isEqual = status === 0 && contentOf(out) === expected && behind.length === 0;
    if (!isEqual) problems += 1;
    const result = isEqual ? "equal bit for bit" : `DIFFERS, status ${status}, left behind ${behind.join()}: ${err}`;
    line(`${replicas} workers, run ${runs}: ${blows} blows in ${seconds.toFixed(0)} s, ${result}`);
    [kills, runs] = [kills + blows, runs + 1];
  }
}
line(`${kills} blows at ${runs} runs, ${problems} other than the undisturbed ones`);
if (problems > 0) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });
process.exit();
