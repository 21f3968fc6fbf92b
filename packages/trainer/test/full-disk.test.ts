import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { FileError, isTemporary } from "@convkit/files";
import { engines } from "@convkit/testing";
import { loadModel } from "@convkit/weights";
import { beforeAll, describe, expect, test } from "vitest";
import { canMount, smallDisk } from "../../files/test/small-disk.ts";
import { type Callback, parseHistory, tensorBoard, train, type TrainOptions } from "../src/index.ts";
import { trimEventFiles } from "../src/tensorboard/trim-event-files.ts";
import { halves, smallNet } from "./squares.ts";

/** Calls `act` at the end of an epoch, before its checkpoint. */
const atEnd = (epoch: number, act: () => void): Callback => ({
  onEpochEnd: (done) => void (done === epoch && act()),
});

/** Takes all room of a disk, or gives it back. */
function filler(folder: string) {
  const file = join(folder, "filler");
  return {
    fill() {
      for (const size of [1 << 16, 1 << 12]) {
        try {
          for (;;) writeFileSync(file, Buffer.alloc(size), { flag: "a" });
        } catch {
          // Full.
        }
      }
    },
    empty: () => rmSync(file),
  };
}

/** Trains five epochs of four steps. */
const trained = (out: string, more: Partial<TrainOptions>) =>
  train({
    model: smallNet(),
    data: halves(16),
    epochs: 5,
    batch: 4,
    optimizer: { name: "momentum", learningRate: 0.01 },
    execution: { deterministic: true },
    progress: false,
    out,
    ...more,
  });

/** The steps of the histograms in a folder's event files. */
async function stepsIn(folder: string): Promise<number[]> {
  const steps: number[] = [];
  const look = ({ step, tags }: { readonly step: number; readonly tags: readonly string[] }) => {
    if (tags.some((tag) => tag.endsWith("kernel"))) steps.push(step);
    return true;
  };
  await trimEventFiles(folder, look);
  return steps;
}

/** Nothing under a temporary name, and every file whole. */
async function checkWhole(run: string, epochs: number): Promise<void> {
  const files = readdirSync(run, { recursive: true }) as string[];
  expect(files.filter((file) => file.split("/").some((part) => isTemporary(part)))).toEqual([]);
  expect(parseHistory(readFileSync(join(run, "history.csv"), "utf8"), "history.csv").length).toBe(epochs);
  (await loadModel(join(run, "model", "model.json"))).dispose();
}

describe.skipIf(!canMount)("a disk", () => {
  beforeAll(async () => void (await useEngine(engines.at(-1)!)));

  test("that is full ends a training with one sentence; the run goes on once there is room", async () => {
    const { folder } = smallDisk(1 << 20);
    const { fill, empty } = filler(folder);
    const [run, whole] = [join(folder, "run"), join(folder, "whole")];
    await expect(trained(run, { callbacks: [atEnd(2, fill)] })).rejects.toThrow(
      /step-00000008 cannot be written \(ENOSPC\): the disk is full; make room, or choose another place\.$/,
    );
    expect(readdirSync(join(run, "checkpoints"))).toEqual(["step-00000004"]);
    await checkWhole(run, 2);
    empty();
    const { history } = await trained(run, { resume: true });
    const undisturbed = await trained(whole, {});
    expect(history.map(({ loss }) => loss)).toEqual(undisturbed.history.map(({ loss }) => loss));
  });

  test.each<[string, (disk: ReturnType<typeof smallDisk>) => void, RegExp]>([
    ["full", ({ folder }) => filler(folder).fill(), /\(ENOSPC\): the disk is full/],
    ["read-only", ({ makeReadOnly }) => makeReadOnly(), /\(EROFS\): the disk is read-only/],
  ])("that becomes %s does not end a training that is to go on", async (_title, spoil, message) => {
    const disk = smallDisk(1 << 20);
    const run = join(disk.folder, "run");
    const problems: string[] = [];
    const { epochs } = await trained(run, {
      callbacks: [atEnd(2, () => spoil(disk))],
      checkpoints: { onError: (error) => void problems.push(error.message) },
    });
    expect(epochs).toBe(5);
    expect(problems.length).toBeGreaterThan(3);
    for (const problem of problems) expect(problem).toMatch(message);
    expect(readdirSync(join(run, "checkpoints"))).toEqual(["step-00000004"]);
    await checkWhole(run, 2);
  });

  test("that is full ends a training that writes events with one sentence, or is told; what was written stays whole", async () => {
    const disk = smallDisk(1 << 20);
    const { fill, empty } = filler(disk.folder);
    const run = join(disk.folder, "run");
    const events = join(disk.folder, "events");
    const full = /events\.out\.tfevents\.[^ ]+ cannot be written \(ENOSPC\): the disk is full; make room/;
    // The events come before the checkpoint. Histograms need more room than the last page of their file has.
    const options = { folder: events, images: 0, histograms: 1 };
    const spoiled = [atEnd(2, fill), tensorBoard(options)];
    const error = await trained(run, { callbacks: spoiled }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(full);
    expect(readdirSync(join(run, "checkpoints"))).toEqual(["step-00000004"]);
    await checkWhole(run, 2);
    empty();
    rmSync(events, { recursive: true });

    const told: string[] = [];
    const onError = ({ message }: Error) => void told.push(message);
    const callbacks = [atEnd(2, fill), atEnd(4, empty), tensorBoard({ ...options, onError })];
    const { epochs } = await trained(run, { resume: true, callbacks, checkpoints: { onError: () => undefined } });
    expect(epochs).toBe(5);
    expect(told).toEqual([expect.stringMatching(full), expect.stringMatching(full)]);
    // Steps of epochs count from 0. The run goes on behind the 1st epoch; the 2nd and 3rd are left out.
    expect(await stepsIn(join(events, "train"))).toEqual([3, 4]);
  });

  test("that has room again gets the best model, the history and a checkpoint", async () => {
    const { folder } = smallDisk(1 << 20);
    const { fill, empty } = filler(folder);
    const run = join(folder, "run");
    const problems: string[] = [];
    const { history } = await trained(run, {
      callbacks: [atEnd(1, fill), atEnd(4, empty)],
      checkpoints: { onError: (error) => void problems.push(error.message) },
    });
    expect(problems.length).toBeGreaterThan(1);
    expect(readdirSync(join(run, "checkpoints"))).toEqual(["step-00000020"]);
    await checkWhole(run, 5);
    const model = await loadModel(join(run, "model", "model.json"));
    const best = smallNet();
    await train({
      model: best,
      data: halves(16),
      epochs: 5,
      batch: 4,
      optimizer: { name: "momentum", learningRate: 0.01 },
      execution: { deterministic: true },
      progress: false,
    });
    expect(history.length).toBe(5);
    for (const [index, weight] of model.getWeights().entries())
      expect(weight.dataSync()).toEqual(best.getWeights()[index]!.dataSync());
  });
});
