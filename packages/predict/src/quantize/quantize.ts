import { OptionError, shown } from "@convkit/errors";

import { PredictError } from "../predict-error.ts";
import { onnxRuntimes, runtimeVersion, type OnnxRuntimeName } from "../runtimes/runtime.ts";
import type { PredictorSource } from "../sources/open-source.ts";
import type { Answers, PreparedBatch, QuantizationData } from "./judge.ts";
import type { IntLayer } from "./layers.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./quantize-options.ts";
import type { Calibration } from "./ranges.ts";
import type { Scale } from "./scales.ts";

/** A layer of a quantized network. */
export interface QuantizedLayer {
  readonly name: string;
  readonly isInt8: boolean;
  /** How far it alone moves the outputs, relative to them (root mean square); missing where it was not measured. */
  readonly effect?: number | undefined;
}

/** What became of a network. */
export interface QuantizationReport {
  readonly runtime: OnnxRuntimeName;
  readonly calibration: Calibration;
  /** How many images the scales come from, and how many the accuracy. */
  readonly images: { readonly calibration: number; readonly test: number };
  readonly layers: readonly QuantizedLayer[];
  /** The share of the labels that each file finds; missing without labels. */
  readonly accuracy?: { readonly float32: number; readonly int8: number } | undefined;
  /** The share of images for which both files name the same class; missing where the output names none. */
  readonly agreement?: number | undefined;
  /** The root mean square of the outputs' differences, relative to the float32 outputs'. */
  readonly error: number;
  /** Milliseconds of one image: the fastest of some calls. */
  readonly ms: { readonly float32: number; readonly int8: number };
  readonly bytes: { readonly float32: number; readonly int8: number };
}

/** An int8 network: an ONNX file and how it compares with the float32 network. */
export interface Quantized {
  readonly bytes: Uint8Array;
  readonly report: QuantizationReport;
}

/** Images of which each layer's effect is measured. */
const effectImages = 64;
const batch = 8;

/**
 * Quantizes a network for prediction: convolutions and dense layers with 8-bit weights (one scale a channel) and 8-bit activations, as an
 * ONNX file of `QuantizeLinear` and `DequantizeLinear` pairs, which OpenVINO and ONNX Runtime compute in integers. The scales come from
 * what the activations are on `data`. The model is what `predictor` takes.
 *
 * Throws an `OptionError` for options and data that make no sense, and a `PredictError` where neither runtime is installed or the
 * network has no layer to quantize.
 */
export async function quantize(
  model: PredictorSource,
  data: QuantizationData,
  options: QuantizeOptions = {},
): Promise<Quantized> {
  checkQuantizeOptions(data, options);
  const { calibration = "min-max", percentile = 99.99, images = 256, test = data, maxDrop = 0.01, threads } = options;
  const { floatLayers = [], testImages = test === data ? images : Infinity } = options;
  const runtime = options.runtime ?? (await installedRuntime());
  const { onnxOf } = await import("../sources/onnx-of.ts");
  const { answersOf, preparedBatches, relativeError, shareRight, withSession } = await import("./judge.ts");
  const { readOnnxFile } = await import("./onnx-file.ts");
  const { foldNorms } = await import("./fold-norms.ts");
  const { intLayers } = await import("./layers.ts");
  const { intValues } = await import("./observed-values.ts");
  const { calibrate, withObserved } = await import("./calibrate.ts");
  const { writeInt8 } = await import("./write-int8.ts");
  const { fastestOf } = await import("./fastest-of.ts");

  const given = await onnxOf(model);
  const preprocessing = options.preprocessing ?? given.metadata.preprocessing;
  const file = await readOnnxFile(given.bytes);
  const graph = foldNorms(file);
  const floatBytes = file.write(graph.nodes, graph.weights.values());
  const known = intLayers(graph);
  const stray = floatLayers.find((name) => !known.some((layer) => layer.name === name));
  if (stray !== undefined)
    throw new OptionError(
      `quantize: expected floatLayers of ${known.map(({ name }) => name).join(", ")}, got ${shown(stray)}.`,
    );
  const all = known.filter(({ name }) => !floatLayers.includes(name));
  if (all.length === 0) throw new PredictError("quantize: the network has no convolution or dense layer to quantize.");
  const about = { preprocessing, batch };
  const forCalibration = () => preparedBatches(data, { ...about, limit: images, shuffle: true });
  const forTest = () => preparedBatches(test, { ...about, limit: testImages, shuffle: test === data });

  const values = intValues(graph, all, file.outputs);
  const inputNames = await withSession(runtime, floatBytes, threads, async ({ inputs }) =>
    inputs.map(({ name }) => name),
  );
  if (inputNames.length !== 1)
    throw new PredictError(`quantize: expected a network of one input, got ${inputNames.length}.`);
  const answers = (bytes: Uint8Array, batches: AsyncIterable<PreparedBatch>): Promise<Answers> =>
    withSession(runtime, bytes, threads, (session) => answersOf(session, batches));
  const before = await answers(floatBytes, forTest());
  if (before.outputs.length === 0) throw new OptionError("quantize: expected images, got none.");
  const scales = await withSession(runtime, withObserved(floatBytes, values.names, inputNames), threads, (session) =>
    calibrate(session, values, forCalibration, { calibration, percentile }),
  );
  const bytesWith = (layers: readonly IntLayer[]): Uint8Array => {
    const names = intValues(graph, layers, file.outputs).names;
    const own = new Map<string, Scale>(names.map((name) => [name, scales.get(name)!]));
    const { nodes, weights } = writeInt8(graph, layers, own);
    return file.write(nodes, weights.values());
  };
  const judged = async (layers: readonly IntLayer[]) => {
    const bytes = bytesWith(layers);
    const after = await answers(bytes, forTest());
    const agreement = shareRight(after.classes, before.classes);
    const right = [before, after].map(({ classes }) => shareRight(classes, before.labels));
    const [float32, int8] = right;
    const accuracy = float32 === undefined || int8 === undefined ? undefined : { float32, int8 };
    const drop = accuracy === undefined ? 1 - (agreement ?? 1) : accuracy.float32 - accuracy.int8;
    return { layers, bytes, agreement, accuracy, drop, error: relativeError(after.outputs, before.outputs) };
  };
  let best = await judged(all);
  let effects: ReadonlyMap<IntLayer, number> = new Map();
  if (best.drop > maxDrop) {
    const few: PreparedBatch[] = [];
    for await (const each of preparedBatches(data, { ...about, limit: effectImages, shuffle: true })) few.push(each);
    const replay = () => readAgain(few);
    const expected = (await answers(floatBytes, replay())).outputs;
    const measured: [IntLayer, number][] = [];
    for (const layer of all)
      measured.push([layer, relativeError((await answers(bytesWith([layer]), replay())).outputs, expected)]);
    effects = new Map(measured);
    const { fewestFloats } = await import("./fewest-floats.ts");
    best = await fewestFloats(
      measured.toSorted(([, a], [, b]) => b - a).map(([layer]) => layer),
      maxDrop,
      judged,
      best,
    );
  }
  const { layers, bytes, accuracy, agreement, error } = best;
  const [sample] = await firstOf(preparedBatches(data, { ...about, batch: 1, limit: 1, shuffle: false }));
  const [float32, int8] = await fastestOf(runtime, [floatBytes, bytes], sample!.feed, threads);
  const report: QuantizationReport = {
    runtime,
    calibration,
    images: {
      calibration: await countOf(forCalibration()),
      test: before.classes?.length ?? (await countOf(forTest())),
    },
    layers: known.map((layer) => ({
      name: layer.name,
      isInt8: layers.includes(layer),
      ...(effects.has(layer) && { effect: effects.get(layer) }),
    })),
    ...(accuracy !== undefined && { accuracy }),
    ...(agreement !== undefined && { agreement }),
    error,
    ms: { float32: float32!, int8: int8! },
    bytes: { float32: floatBytes.byteLength, int8: bytes.byteLength },
  };
  return { bytes, report };
}

async function installedRuntime(): Promise<OnnxRuntimeName> {
  for (const name of onnxRuntimes) if ((await runtimeVersion(name)) !== undefined) return name;
  throw new PredictError(
    'quantize: expected OpenVINO or ONNX Runtime, which run the network for the calibration: "convkit engine install --predict" installs OpenVINO.',
  );
}

async function* readAgain(batches: readonly PreparedBatch[]): AsyncGenerator<PreparedBatch> {
  yield* batches;
}

async function firstOf(batches: AsyncIterable<PreparedBatch>): Promise<PreparedBatch[]> {
  for await (const each of batches) return [each];
  return [];
}

async function countOf(batches: AsyncIterable<PreparedBatch>): Promise<number> {
  let count = 0;
  for await (const { feed } of batches) count += feed.shape[0] ?? 0;
  return count;
}
