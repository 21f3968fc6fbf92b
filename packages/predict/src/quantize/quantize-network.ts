import { OptionError } from "@convkit/errors";

import { PredictError } from "../predict-error.ts";
import { onnxRuntimes, type OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import { runtimeVersion } from "../runtimes/runtime.ts";
import type { OpenableSource } from "../sources/predictor-source.ts";
import type { PreparedBatch, QuantizationData } from "./judge.ts";
import type { IntLayer } from "./layers.ts";
import type { QuantizationReport, Quantized } from "./quantization-report.ts";
import type { QuantizeOptions } from "./quantize-options.ts";

/** Images of which each layer's effect is measured. */
const effectImages = 64;
const batch = 8;

/** `quantize`, for options that are checked. */
export async function quantizeNetwork(
  model: OpenableSource,
  data: QuantizationData,
  options: QuantizeOptions,
): Promise<Quantized> {
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
