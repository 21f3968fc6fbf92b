import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

interface Values {
  readonly shape: number[];
  readonly data: number[];
}

/** A small ONNX file of one operator, and what ONNX Runtime answers: made by tools/golden/weights-onnx.py. */
export interface OnnxCase {
  readonly title: string;
  readonly bytes: Buffer;
  readonly x: Values;
  readonly y: readonly Values[];
  /** The worst difference, relative to the largest number: one step of a quantized file, else rounding. */
  readonly tolerance: number;
}

const folder = fileURLToPath(new URL("golden/onnx/", import.meta.url));

/** The kinds of operators that there are cases of. */
export const onnxKinds = readdirSync(folder).map((name) => name.replace(".json.gz", ""));

export function onnxCases(kind: string): OnnxCase[] {
  const text = gunzipSync(readFileSync(`${folder}${kind}.json.gz`)).toString("utf8");
  return (JSON.parse(text) as (Omit<OnnxCase, "bytes"> & { model: string })[]).map(({ model, ...rest }) => ({
    ...rest,
    tolerance: rest.tolerance ?? 1e-5,
    bytes: Buffer.from(model, "base64"),
  }));
}

const last = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
const first = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 1)];

/** True if the model takes the input with its channels last, where the file has them first. */
function isTurned(model: tfl.LayersModel, { shape }: Values): boolean {
  const own = model.inputs[0]!.shape;
  const fits = (sizes: readonly number[]): boolean =>
    own.every((size, axis) => axis === 0 || size === null || size === sizes[axis]);
  const turned = shape.length < 3 ? [] : last(shape.length).map((axis) => shape[axis]!);
  return turned.length > 0 && fits(turned) && (!fits(shape) || own.slice(1).includes(null));
}

/** The input of a case as the model takes it. */
export function inputOf(model: tfl.LayersModel, { x }: OnnxCase): tf.Tensor {
  const tensor = tf.tensor(x.data, x.shape);
  return isTurned(model, x) ? tf.transpose(tensor, last(x.shape.length)) : tensor;
}

/** The worst difference between a model's answers and ONNX Runtime's, relative to the largest number from 1 on. */
export function worstDifference(model: tfl.LayersModel, one: OnnxCase): number {
  return tf.tidy(() => {
    const turns = isTurned(model, one.x);
    const outputs = [model.predict(inputOf(model, one))].flat();
    const differences = one.y.map(({ shape, data }, index) => {
      const output = outputs[index]!;
      const isMap = turns && (output.rank >= 4 || (output.rank === 3 && String(output.shape) !== String(shape)));
      const own = isMap ? tf.transpose(output, first(output.rank)) : output;
      if (String(own.shape) !== String(shape)) return Number.POSITIVE_INFINITY;
      const values = own.dataSync();
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      return data.reduce((worst, value, at) => Math.max(worst, Math.abs(values[at]! - value) / largest), 0);
    });
    return Math.max(...differences);
  });
}
