import type { Preprocessing } from "@convkit/core/plain";
import { OptionError, shown } from "@convkit/errors";

import { PredictError } from "../predict-error.ts";
import { onnxOf } from "../sources/onnx-of.ts";
import type { OpenableSource } from "../sources/predictor-source.ts";
import { calibrate, withObserved } from "./calibrate.ts";
import { foldNorms } from "./fold-norms.ts";
import { withSession, type PreparedBatch } from "./judge.ts";
import { intLayers, type IntLayer } from "./layers.ts";
import { intValues } from "./observed-values.ts";
import { readOnnxFile, type Graph, type OnnxFile } from "./onnx-file.ts";
import type { Calibration } from "./ranges.ts";
import type { OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { Scale } from "./scales.ts";
import { writeInt8 } from "./write-int8.ts";

/** A network to quantize: its float32 file, with batch norms in the weights, and its layers. */
export interface Network {
  readonly file: OnnxFile;
  readonly graph: Graph;
  readonly floatBytes: Uint8Array;
  /** All layers that could be int8, and those that may. */
  readonly known: readonly IntLayer[];
  readonly layers: readonly IntLayer[];
  readonly preprocessing: Preprocessing | undefined;
}

/** Reads a network. Throws for layers of `floatLayers` that it has not, and where none is left. */
export async function readNetwork(
  model: OpenableSource,
  { floatLayers = [], preprocessing }: FloatOptions,
): Promise<Network> {
  const { bytes, metadata } = await onnxOf(model);
  const file = await readOnnxFile(bytes);
  const graph = foldNorms(file);
  const known = intLayers(graph);
  const stray = floatLayers.find((name) => !known.some((layer) => layer.name === name));
  if (stray !== undefined)
    throw new OptionError(
      `quantize: expected floatLayers of ${known.map(({ name }) => name).join(", ")}, got ${shown(stray)}.`,
    );
  const layers = known.filter(({ name }) => !floatLayers.includes(name));
  if (layers.length === 0)
    throw new PredictError("quantize: the network has no convolution or dense layer to quantize.");
  const floatBytes = file.write(graph.nodes, graph.weights.values());
  return { file, graph, floatBytes, known, layers, preprocessing: preprocessing ?? metadata.preprocessing };
}

interface FloatOptions {
  readonly floatLayers?: readonly string[] | undefined;
  readonly preprocessing?: Preprocessing | undefined;
}

/** Finds the scales of all values from images, and gives what writes the file with some of the layers in int8. */
export async function calibratedWriter(
  { file, graph, floatBytes, layers }: Network,
  images: () => AsyncIterable<PreparedBatch>,
  { runtime, threads, ...how }: CalibrationHow,
): Promise<(layers: readonly IntLayer[]) => Uint8Array> {
  const values = intValues(graph, layers, file.outputs);
  const inputs = await withSession(runtime, floatBytes, threads, async (session) => session.inputs);
  if (inputs.length !== 1) throw new PredictError(`quantize: expected a network of one input, got ${inputs.length}.`);
  const names = inputs.map(({ name }) => name);
  const scales = await withSession(runtime, withObserved(floatBytes, values.names, names), threads, (session) =>
    calibrate(session, values, images, how),
  );
  return (some) => {
    const own = intValues(graph, some, file.outputs).names;
    const { nodes, weights } = writeInt8(
      graph,
      some,
      new Map<string, Scale>(own.map((name) => [name, scales.get(name)!])),
    );
    return file.write(nodes, weights.values());
  };
}

interface CalibrationHow {
  readonly runtime: OnnxRuntimeName;
  readonly threads: number | undefined;
  readonly calibration: Calibration;
  readonly percentile: number;
}
