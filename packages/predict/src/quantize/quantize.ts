import { OptionError } from "@convkit/errors";

import { PredictError } from "../predict-error.ts";
import { onnxRuntimes, runtimeVersion, type OnnxRuntimeName } from "../runtimes/runtime.ts";
import type { PredictorSource } from "../sources/open-source.ts";
import type { PreparedBatch, QuantizationData } from "./judge.ts";
import type { IntLayer } from "./layers.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./quantize-options.ts";
import type { Calibration } from "./ranges.ts";

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
  const { calibration = "min-max", percentile = 99.999, images = 256, test = data, maxDrop = 0.01, threads } = options;
  const { testImages = test === data ? images : Infinity } = options;
  const runtime = options.runtime ?? (await installedRuntime());
  const { preparedBatches } = await import("./judge.ts");
  const { calibratedWriter, readNetwork } = await import("./network.ts");
  const { judgeLayers, layerEffects, runOn } = await import("./trials.ts");
  const { fastestOf } = await import("./fastest-of.ts");

  const network = await readNetwork(model, options);
  const { floatBytes, known, preprocessing } = network;
  const about = { preprocessing, batch, shuffle: true };
  const someOf = (limit: number) => preparedBatches(data, { ...about, limit });
  const forTest = () => preparedBatches(test, { ...about, limit: testImages, shuffle: test === data });
  const before = await runOn({ runtime, threads }, floatBytes, forTest());
  if (before.outputs.length === 0) throw new OptionError("quantize: expected images, got none.");
  const how = { runtime, threads, calibration, percentile };
  let calibrated = 0;
  const bytesWith = await calibratedWriter(
    network,
    () => counted(someOf(images), (count) => (calibrated = count)),
    how,
  );
  const parts = { runtime, threads, floatBytes, bytesWith, forTest };
  const judge = (layers: readonly IntLayer[]) => judgeLayers(parts, before, layers);
  let best = await judge(network.layers);
  let effects: ReadonlyMap<IntLayer, number> = new Map();
  if (best.drop > maxDrop) {
    effects = await layerEffects(parts, network.layers, someOf(effectImages));
    const { fewestFloats } = await import("./fewest-floats.ts");
    best = await fewestFloats([...effects.keys()], maxDrop, judge, best);
  }
  const { layers, bytes, accuracy, agreement, error } = best;
  const [sample] = await allOf(preparedBatches(data, { ...about, batch: 1, limit: 1 }));
  const [float32, int8] = await fastestOf(runtime, [floatBytes, bytes], sample!.feed, threads);
  const report: QuantizationReport = {
    runtime,
    calibration,
    images: { calibration: calibrated, test: before.images },
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

async function allOf(batches: AsyncIterable<PreparedBatch>): Promise<PreparedBatch[]> {
  const all: PreparedBatch[] = [];
  for await (const each of batches) all.push(each);
  return all;
}

/** The same batches; tells how many images came so far. */
async function* counted(
  batches: AsyncIterable<PreparedBatch>,
  tell: (count: number) => void,
): AsyncGenerator<PreparedBatch> {
  let count = 0;
  for await (const each of batches) {
    count += each.feed.shape[0] ?? 0;
    tell(count);
    yield each;
  }
}
