import type { OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { Judged } from "./fewest-floats.ts";
import { answersOf, relativeError, shareRight, withSession, type Answers, type PreparedBatch } from "./judge.ts";
import type { IntLayer } from "./layers.ts";

/** A network with some layers in int8, beside the float32 network. */
export interface Trial extends Judged {
  readonly bytes: Uint8Array;
  readonly accuracy: { readonly float32: number; readonly int8: number } | undefined;
  readonly agreement: number | undefined;
  readonly error: number;
}

/** What trials are made of. */
export interface TrialParts {
  readonly runtime: OnnxRuntimeName;
  readonly threads: number | undefined;
  readonly floatBytes: Uint8Array;
  /** The file with these layers in int8. */
  bytesWith(layers: readonly IntLayer[]): Uint8Array;
  forTest(): AsyncIterable<PreparedBatch>;
}

/** Runs an ONNX file on batches. */
export function runOn(
  { runtime, threads }: Pick<TrialParts, "runtime" | "threads">,
  bytes: Uint8Array,
  batches: AsyncIterable<PreparedBatch>,
): Promise<Answers> {
  return withSession(runtime, bytes, threads, (session) => answersOf(session, batches));
}

/** Judges the network with these layers in int8 by the test images; without labels, by the classes of the float32 network. */
export async function judgeLayers(parts: TrialParts, before: Answers, layers: readonly IntLayer[]): Promise<Trial> {
  const bytes = parts.bytesWith(layers);
  const after = await runOn(parts, bytes, parts.forTest());
  const agreement = shareRight(after.classes, before.classes);
  const [float32, int8] = [before, after].map(({ classes }) => shareRight(classes, before.labels));
  const accuracy = float32 === undefined || int8 === undefined ? undefined : { float32, int8 };
  const drop = accuracy === undefined ? 1 - (agreement ?? 1) : accuracy.float32 - accuracy.int8;
  return { layers, bytes, agreement, accuracy, drop, error: relativeError(after.outputs, before.outputs) };
}

/** How far each layer alone in int8 moves the outputs for some images; the layers that move them most come first. */
export async function layerEffects(
  parts: TrialParts,
  layers: readonly IntLayer[],
  images: AsyncIterable<PreparedBatch>,
): Promise<ReadonlyMap<IntLayer, number>> {
  const batches: PreparedBatch[] = [];
  for await (const batch of images) batches.push(batch);
  const expected = (await runOn(parts, parts.floatBytes, again(batches))).outputs;
  const effects: [IntLayer, number][] = [];
  for (const layer of layers) {
    const { outputs } = await runOn(parts, parts.bytesWith([layer]), again(batches));
    effects.push([layer, relativeError(outputs, expected)]);
  }
  return new Map(effects.toSorted(([, a], [, b]) => b - a));
}

async function* again(batches: readonly PreparedBatch[]): AsyncGenerator<PreparedBatch> {
  yield* batches;
}
