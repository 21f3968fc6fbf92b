import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { availableEngines, useEngine } from "@convkit/engine";
import { freeAddresses } from "@convkit/testing/bundled";
import { saveModel } from "@convkit/weights";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { reachNote } from "../src/training/worker-run.ts";
import { colorFolder } from "./color-folder.ts";
import { call, spawned } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "convkit-workers-"));
const epochs = 40;
const patience = { timeout: 1_800_000 };

/** The processes of the worker beside the chief, one for each start, as the first line of each says them. */
function workersOf(err: string): number[] {
  return [...err.matchAll(/worker 0 at \S+ \(process (\d+)\)/g)].map(([, pid]) => Number(pid));
}

function processesOf(err: string): number[] {
  return [...err.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a note tells of a port that is open to other machines, and of no other", () => {
  const notes = (["address", "machine", "everywhere"] as const).map((reach) => reachNote({ reach }));
  expect(notes).toEqual([undefined, undefined, expect.stringContaining("to any address of this machine")]);
});

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe.skipIf(!(await availableEngines()).includes("native"))("several workers", { shuffle: false }, () => {
  let images: string;
  let network: string;
  const [whole, broken] = [join(root, "whole"), join(root, "broken")];

  beforeAll(async () => {
    await useEngine("native");
    images = await colorFolder(join(root, "colors"), ["blue", "red"], 12);
    network = join(root, "small");
    const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
    const layers = [
      tfl.layers.conv2d({ inputShape: [16, 16, 3], filters: 4, kernelSize: 3, strides: 2, kernelInitializer: init(1) }),
      tfl.layers.batchNormalization(),
      tfl.layers.flatten(),
      tfl.layers.dropout({ rate: 0.3 }),
      tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer: init(2) }),
    ];
    const metadata = { name: "small", classes: ["blue", "red"], preprocessing: { scale: 1 / 255 } };
    await saveModel(tfl.sequential({ layers }), network, { format: "tfjs", metadata });
  }, 1_800_000);

  const plan = { augment: { flip: "horizontal" }, reduceOnPlateau: { monitor: "loss", minDelta: 100, patience: 15 } };
  const begin = (out: string) => {
    const data = ["--data", images, "--validation", "8", "--batch", "4", "--epochs", String(epochs), "--workers", "1"];
    const exact = ["--deterministic", "--seed", "5", "--optimizer", "adam", "--lr", "0.001"];
    return ["train", network, ...data, ...exact, "--sync-batch-norm", "--plan", JSON.stringify(plan), "--out", out];
  };
  const two = ["--replicas", "2", "--worker-timeout", "8"];
  const resume = ["train", "--resume", broken, ...two];
  const weights = (run: string) => readFileSync(join(run, "model", "weights.000.bin")).toString("base64");
  const history = (run: string) =>
    readFileSync(join(run, "history.csv"), "utf8")
      .split("\n")
      .map((line) => line.replace(/,[^,]*$/, ""));

  test("train one model, which the chief writes and shows", patience, async () => {
    const { status, out, err } = await spawned([...begin(whole), ...two, "--json"]);
    expect(status, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ run: whole, epochs });
    const events = err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.filter(({ event }) => event === "epoch")).toHaveLength(epochs);
    expect(events).toContainEqual({
      event: "worker",
      worker: "worker 0",
      text: expect.stringContaining(`worker 0 of 2 workers: ended after ${epochs} epochs`) as string,
    });
    const config = JSON.parse(readFileSync(join(whole, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({ environment: { workers: 2 }, plan: { syncBatchNorm: true } });
  });

  test("go on unattended where one is killed, and end with a sentence where one stands still", patience, async () => {
    let strikes = 0;
    const { status, err } = await spawned([...begin(broken), ...two, "--restarts", "1"], {
      meanwhile(_child, said) {
        if (strikes === 0 && /^epoch 2\//m.test(said)) {
          strikes += 1;
          process.kill(workersOf(said)[0]!, "SIGKILL");
        } else if (strikes === 1 && /restart 1 of 1\.[^]*^epoch \d+\//m.test(said)) {
          strikes += 1;
          process.kill(workersOf(said)[1]!, "SIGSTOP");
        }
      },
    });
    expect(status, err).toBe(1);
    expect(err).toMatch(/^Worker 0 was ended by SIGKILL: restart 1 of 1\.$/m);
    expect(err).toMatch(/^convkit: chief: worker 0 \(127\.0\.0\.1:\d+\) does not answer: start all workers anew/m);
    expect(err).toContain(
      `convkit: Worker 0 was ended by SIGKILL: continue with convkit train --resume ${broken} --replicas 2.\n`,
    );
    expect(processesOf(err).filter(isAlive)).toEqual([]);
  });

  test("end with the process that started them, and end a further run with the same bits", patience, async () => {
    let pids: number[] = [];
    const { signal } = await spawned(resume, {
      meanwhile(child, err) {
        if (pids.length > 0 || !/^epoch \d+\//m.test(err)) return;
        pids = processesOf(err);
        child.kill("SIGKILL");
      },
    });
    expect([signal, pids.length]).toEqual(["SIGKILL", 2]);
    for (let wait = 0; wait < 600 && pids.some(isAlive); wait += 1) await sleep(100);
    expect(pids.filter(isAlive)).toEqual([]);
    const { status, err } = await spawned(resume);
    expect(status, err).toBe(0);
    expect(history(whole)).toHaveLength(epochs + 2);
    expect([history(broken), weights(broken)]).toEqual([history(whole), weights(whole)]);
  });

  test("go on in another number, which is said, and save when they are interrupted", patience, async () => {
    let isStruck = false;
    const { status, err } = await spawned(["train", "--resume", whole, "--epochs", "4000", "--replicas", "3"], {
      meanwhile(child, said) {
        if (isStruck || !/^epoch \d+\//m.test(said)) return;
        isStruck = true;
        child.kill("SIGINT");
      },
    });
    expect(status, err).toBe(130);
    expect(err).toMatch(/^The run began in 2 workers and goes on in 3 workers: its batches are the same, but sums/m);
    const [checkpoint] = readdirSync(join(whole, "checkpoints"));
    expect(Number(checkpoint!.slice("step-".length))).toBeGreaterThan(epochs * 4);
    expect(history(whole).length).toBeGreaterThan(epochs + 2);
    expect(processesOf(err).filter(isAlive)).toEqual([]);
  });

  test("are awaited no longer than they were told to be", patience, async () => {
    const cluster = { worker: await freeAddresses(2) };
    const out = join(root, "alone");
    const env = (index: number) => ({ TF_CONFIG: JSON.stringify({ cluster, task: { type: "worker", index } }) });
    const { status, err } = await spawned([...begin(out), "--worker-timeout", "2"], { env: env(0) });
    expect([status, err]).toEqual([
      1,
      `convkit: worker 0: worker 1 (${cluster.worker[1]}) did not answer within 2 seconds: start all workers, with the same cluster.\n`,
    ]);
    expect(existsSync(out)).toBe(false);
    expect((await call("train", "--resume", out)).status).toBe(2);
  });
});
