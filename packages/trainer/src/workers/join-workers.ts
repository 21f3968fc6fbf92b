import type { JsonValue } from "@convkit/files";
import { sha256 } from "@convkit/files/system";
import { randomStreams } from "@convkit/core/internal";
import type { Worker } from "@convkit/graph";
import { dequal } from "dequal";
import * as tf from "@tensorflow/tfjs-core";
import { namedWeights } from "../model/named-weights.ts";
import type { SavedRun } from "../loop/saved-run.ts";
import type { Run } from "../loop/run.ts";
import { lastingSettings } from "../loop/settings.ts";
import { restoreRun } from "../loop/restore-run.ts";
import type { SavedArray } from "../run/checkpoint.ts";
import { TrainerError } from "../trainer-error.ts";
import { Exchange } from "./exchange.ts";
import { seedOfWorker } from "./run-workers.ts";

/**
 * Makes all workers begin alike: compares their models, data and settings, and gives all the chief's weights, or the state of the
 * chief's checkpoint. Throws `TrainerError` in every worker if one of them differs from the chief.
 */
export async function joinWorkers(run: Run, saved: SavedRun | undefined): Promise<void> {
  const { worker } = run.workers!;
  const exchange = new Exchange(worker);
  try {
    const described = await exchange.gather(JSON.stringify(descriptionOf(run)));
    throwDifferences(
      worker,
      described.map((text) => JSON.parse(text) as Description),
    );
    const own = worker.isChief ? packed(saved ?? { state: null, arrays: await run.runner.save() }) : undefined;
    const { state, arrays } = unpacked(await exchange.broadcast(own));
    if (worker.isChief) return;
    if (state !== null) restoreRun(run, { step: 0, state: state as unknown as SavedRun["state"], arrays });
    await run.runner.restore(arrays);
    drawApart(run, worker);
  } finally {
    await exchange.dispose();
  }
}

type Description = Readonly<Record<string, JsonValue>>;

/** What must be alike in all workers. Threads and engines may differ: they change the last bits of a worker's part. */
function descriptionOf({ settings, parts, workers }: Run): Description {
  const { threads: _threads, backend: _backend, ...lasting } = lastingSettings(settings);
  const { train, validation } = settings.data;
  const weights = [...namedWeights(parts.model)].map(([name, weight]) => `${name} [${weight.shape.join(", ")}]`);
  const described = {
    ...lasting,
    epochs: settings.epochs,
    data: train.name,
    labels: "labels" in train ? sha256(bytesOf(train.labels as Int32Array)) : undefined,
    validation: validation?.name,
    "validation images": validation?.size,
    weights: sha256(new TextEncoder().encode(weights.join("\n"))),
    "TensorFlow.js": tf.version_core,
    TensorFlow: workers!.worker.tensorflow,
  };
  return JSON.parse(JSON.stringify(described)) as Description;
}

function throwDifferences({ names }: Worker, [chief, ...others]: readonly Description[]): void {
  const differences = others.flatMap((other, place) =>
    [...new Set([...Object.keys(chief!), ...Object.keys(other)])].flatMap((name) =>
      dequal(chief![name], other[name])
        ? []
        : [`${names[place + 1]} has ${name} ${textOf(other[name])}, ${names[0]} has ${textOf(chief![name])}`],
    ),
  );
  if (differences.length > 0)
    throw new TrainerError(
      `The workers must train the same model on the same data with the same settings: ${differences.join("; ")}.`,
    );
}

function textOf(value: JsonValue | undefined): string {
  const text = value === undefined ? "none" : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** Gives the layers of this worker random numbers of their own, which follow from the chief's. */
function drawApart({ parts }: Run, { rank }: Worker): void {
  for (const stream of randomStreams(parts.model))
    tf.tidy(() => {
      const [seed, count] = stream.dataSync();
      stream.assign(tf.tensor1d([seedOfWorker(seed!, rank), count!], "int32"));
    });
}

interface Shared {
  readonly state: JsonValue;
  readonly arrays: readonly SavedArray[];
}

/** State and arrays as bytes: the length of the description, the description, and the arrays one after the other. */
function packed({ state, arrays }: { readonly state: unknown; readonly arrays: readonly SavedArray[] }): Uint8Array {
  const listed = arrays.map(({ name, shape, dtype, data }) => ({ name, shape, dtype, bytes: data.byteLength }));
  const head = new TextEncoder().encode(JSON.stringify({ state, arrays: listed }));
  const parts = [new Uint8Array(Uint32Array.of(head.length).buffer), head, ...arrays.map(({ data }) => bytesOf(data))];
  const made = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

function unpacked(bytes: Uint8Array): Shared {
  const [length] = new Uint32Array(bytes.slice(0, 4).buffer);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length!))) as {
    readonly state: JsonValue;
    readonly arrays: readonly (Omit<SavedArray, "data"> & { readonly bytes: number })[];
  };
  let at = 4 + length!;
  const arrays = head.arrays.map(({ name, shape, dtype, bytes: size }): SavedArray => {
    const { buffer } = bytes.slice(at, (at += size));
    const data =
      dtype === "float32"
        ? new Float32Array(buffer)
        : dtype === "int32"
          ? new Int32Array(buffer)
          : new Uint8Array(buffer);
    return { name, shape, dtype, data };
  });
  return { state: head.state, arrays };
}

function bytesOf({ buffer, byteOffset, byteLength }: SavedArray["data"]): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
