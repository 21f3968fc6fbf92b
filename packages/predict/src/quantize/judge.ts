import type { Preprocessing } from "@convkit/core/plain";
import type { Dataset } from "@convkit/datasets";
import type { Feed } from "@convkit/graph";

import { openOnnx } from "../runtimes/runtime.ts";
import type { OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { Session } from "../runtimes/session.ts";
import { prepared } from "../sources/opened-model.ts";

/** Images for the calibration or the test: a data set, or batches `[n, h, w, c]` without labels. */
export type QuantizationData = Pick<Dataset, "batches"> | readonly Feed[];

/** A batch as the model takes it. */
export interface PreparedBatch {
  readonly feed: Feed;
  readonly labels: Int32Array | undefined;
}

/** The first `limit` images, `batch` at a time where the data set makes the batches. */
export async function* preparedBatches(
  data: QuantizationData,
  { preprocessing, limit, batch, shuffle }: BatchQuestion,
): AsyncGenerator<PreparedBatch> {
  let left = limit;
  for await (const { feed, labels, release } of batchesOf(data, batch, shuffle)) {
    const [count = 0, ...rest] = feed.shape;
    const taken = Math.min(count, left);
    const size = feed.data.length / Math.max(count, 1);
    const part = { data: feed.data.subarray(0, taken * size), shape: [taken, ...rest] };
    const whole = prepared(part, preprocessing);
    // The memory of a batch is the data set's again after `release`.
    const own = whole === part ? { ...part, data: part.data.slice() } : whole;
    release?.();
    yield { feed: own, labels: labels?.slice(0, taken) };
    left -= taken;
    if (left <= 0) return;
  }
}

interface BatchQuestion {
  readonly preprocessing: Preprocessing | undefined;
  readonly limit: number;
  readonly batch: number;
  /** Takes images of all classes where the data are sorted by class. */
  readonly shuffle: boolean;
}

async function* batchesOf(
  data: QuantizationData,
  batch: number,
  shuffle: boolean,
): AsyncGenerator<{ feed: Feed; labels?: Int32Array; release?: (() => void) | undefined }> {
  if (Array.isArray(data)) {
    for (const feed of data as readonly Feed[]) yield { feed };
    return;
  }
  for await (const each of (data as Pick<Dataset, "batches">).batches({ batch, shuffle, seed: 0 })) {
    const { images, shape, labels } = each;
    yield { feed: { data: images, shape }, labels, release: () => each.release?.() };
  }
}

/** What a model answered on the test images. */
export interface Answers {
  /** How many images there were. */
  readonly images: number;
  readonly outputs: readonly Float32Array[];
  /** The class of each image; undefined where the first output names no classes. */
  readonly classes: Int32Array | undefined;
  /** The right class of each image; undefined without labels. */
  readonly labels: Int32Array | undefined;
}

/** Runs an ONNX file on batches. */
export async function answersOf(session: Session, batches: AsyncIterable<PreparedBatch>): Promise<Answers> {
  const outputs: Float32Array[] = [];
  const classes: number[] = [];
  const labels: number[] = [];
  let [images, areClasses, areLabelled] = [0, true, true];
  for await (const { feed, labels: own } of batches) {
    const [output] = await session.run([feed]);
    outputs.push(output!.data);
    images += feed.shape[0] ?? 0;
    const [count = 0, width = 0] = output!.shape;
    areClasses &&= output!.shape.length === 2;
    areLabelled &&= own !== undefined;
    if (areClasses) for (let row = 0; row < count; row++) classes.push(classOf(output!.data, row, width));
    labels.push(...(own ?? []));
  }
  return {
    images,
    outputs,
    classes: areClasses ? Int32Array.from(classes) : undefined,
    labels: areLabelled ? Int32Array.from(labels) : undefined,
  };
}

/** The class with the highest score; of a single probability the second class from one half. */
function classOf(scores: Float32Array, row: number, width: number): number {
  if (width === 1) return scores[row]! >= 0.5 ? 1 : 0;
  let best = 0;
  for (let c = 1; c < width; c++) if (scores[row * width + c]! > scores[row * width + best]!) best = c;
  return best;
}

/** The share of images whose class is the expected one; undefined where it cannot be told. */
export function shareRight(classes: Int32Array | undefined, expected: Int32Array | undefined): number | undefined {
  if (classes === undefined || expected === undefined || classes.length === 0) return undefined;
  return classes.reduce((sum, each, i) => sum + Number(each === expected[i]), 0) / classes.length;
}

/** The root of the mean square of the differences, relative to that of the expected outputs. */
export function relativeError(found: readonly Float32Array[], expected: readonly Float32Array[]): number {
  let [differences, squares] = [0, 0];
  for (const [part, values] of expected.entries())
    for (let i = 0; i < values.length; i++) {
      differences += (found[part]![i]! - values[i]!) ** 2;
      squares += values[i]! ** 2;
    }
  return differences === 0 ? 0 : Math.sqrt(differences / Math.max(squares, 1e-30));
}

/** Opens an ONNX file, hands it to `use`, and closes it. */
export async function withSession<Result>(
  runtime: OnnxRuntimeName,
  bytes: Uint8Array,
  threads: number | undefined,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openOnnx(runtime, bytes, { precision: "float32", threads });
  try {
    return await use(session);
  } finally {
    await session.dispose();
  }
}
