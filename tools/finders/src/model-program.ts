import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { hashed, sizeOf } from "./draw.ts";

/** One layer of a drawn network. `from` counts the feature maps so far, modulo their number. */
export type Part =
  | {
      kind: "conv";
      from: number;
      filters: number;
      kernel: [number, number];
      strides: number;
      activation: "relu" | "tanh" | "linear";
    }
  | { kind: "norm" | "pool" | "average" | "relu"; from: number }
  | { kind: "merge"; from: number; other: number; how: "add" | "concatenate" | "maximum" }
  | { kind: "shared" | "nested"; from: number };

/** What is done with a model, in order. */
export type Action =
  | { do: "train"; batch: number }
  | { do: "predict"; batch: number }
  | { do: "evaluate"; batch: number }
  | { do: "scale"; factor: number }
  | { do: "copyFromOther" }
  | { do: "freeze"; layer: number }
  | { do: "thaw" }
  | { do: "average" };

export interface ModelProgram {
  readonly parts: readonly Part[];
  readonly outputs: 1 | 2;
  readonly optimizer: "sgd" | "momentum" | "adam" | "rmsprop";
  readonly actions: readonly Action[];
}

/** How a program's models train and predict. */
export interface Runner {
  prepare(model: tfl.LayersModel): Promise<() => Promise<void>>;
  predict(model: tfl.LayersModel, x: tf.Tensor): Promise<number[]>;
}

export const eagerly: Runner = {
  prepare: async () => async () => undefined,
  predict: async (model, x) => numbersOf(model.predict(x) as tf.Tensor | tf.Tensor[]),
};

const inputShape = [6, 5, 3];
const zeros = { kernelInitializer: "zeros" } as const;

function numbersOf(tensors: tf.Tensor | tf.Tensor[]): number[] {
  return [tensors].flat().flatMap((tensor) => [...tensor.dataSync()]);
}

/** The network of a program, with weights from a formula. Layers and names are the same in every call. */
function build({ parts, outputs }: ModelProgram, seed: number): tfl.LayersModel {
  const image = tfl.input({ shape: inputShape });
  const maps: tfl.SymbolicTensor[] = [image];
  const at = (index: number) => maps[index % maps.length]!;
  // One layer and one model that several places use: 3 channels in and out, any size.
  const shared = tfl.layers.conv2d({ filters: 3, kernelSize: [1, 3], padding: "same", activation: "tanh", ...zeros });
  const inner = tfl.input({ shape: [null, null, 3] });
  const body = tfl.layers.batchNormalization().apply(shared.apply(inner)) as tfl.SymbolicTensor;
  const nested = tfl.model({ inputs: inner, outputs: body });
  for (const part of parts) maps.push(apply(part, at, shared, nested));
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(maps.at(-1)!) as tfl.SymbolicTensor;
  const heads = Array.from(
    { length: outputs },
    () => tfl.layers.dense({ units: 4, activation: "softmax", ...zeros }).apply(pooled) as tfl.SymbolicTensor,
  );
  const model = tfl.model({ inputs: image, outputs: heads });
  setFormulaWeights(model, seed);
  return model;
}

function apply(
  part: Part,
  at: (index: number) => tfl.SymbolicTensor,
  shared: tfl.layers.Layer,
  nested: tfl.LayersModel,
): tfl.SymbolicTensor {
  const x = at(part.from);
  const through = (layer: tfl.layers.Layer) => layer.apply(x) as tfl.SymbolicTensor;
  switch (part.kind) {
    case "conv": {
      const { filters, kernel, strides, activation } = part;
      return through(
        tfl.layers.conv2d({ filters, kernelSize: kernel, strides, activation, padding: "same", ...zeros }),
      );
    }
    case "norm":
      return through(tfl.layers.batchNormalization());
    case "pool":
      return through(tfl.layers.maxPooling2d({ poolSize: 2, strides: 1, padding: "same" }));
    case "average":
      return through(tfl.layers.averagePooling2d({ poolSize: [1, 2], strides: 1, padding: "same" }));
    case "relu":
      return through(tfl.layers.reLU());
    case "shared":
      return x.shape[3] === 3 ? through(shared) : x;
    case "nested":
      return x.shape[3] === 3 ? (nested.apply(x) as tfl.SymbolicTensor) : x;
    case "merge": {
      const y = at(part.other);
      const fits = String(x.shape) === String(y.shape);
      return fits ? (tfl.layers[part.how]({}).apply([x, y]) as tfl.SymbolicTensor) : x;
    }
  }
}

/** Kernels in the range of He's initializer, positive variances and scales, everything else small. */
function setFormulaWeights(model: tfl.LayersModel, seed: number): void {
  const tensors = model.weights.map(({ shape, originalName }, i) => {
    const size = shape as number[];
    const numbers = hashed(seed * 100_003 + i * 997, sizeOf(size));
    if (/variance|gamma/.test(originalName))
      return tf.tensor(
        numbers.map((x) => 1 + 0.3 * x),
        size,
      );
    const scale = size.length < 2 ? 0.1 : Math.sqrt(3 / (sizeOf(size) / size.at(-1)!));
    return tf.tensor(
      numbers.map((x) => x * scale),
      size,
    );
  });
  model.setWeights(tensors);
  for (const tensor of tensors) tensor.dispose();
}

function compileModel(model: tfl.LayersModel, optimizer: ModelProgram["optimizer"]): void {
  const optimizers = {
    sgd: () => tf.train.sgd(0.05),
    momentum: () => tf.train.momentum(0.02, 0.8),
    adam: () => tf.train.adam(0.003),
    rmsprop: () => tf.train.rmsprop(0.002),
  };
  model.compile({ optimizer: optimizers[optimizer](), loss: "categoricalCrossentropy" });
}

const batchOf = (size: number, seed: number) =>
  tf.tensor(hashed(seed * 7919, size * sizeOf(inputShape)), [size, ...inputShape]);
const labelsOf = (size: number, seed: number) =>
  tf.cast(
    tf.oneHot(
      Array.from({ length: size }, (_, i) => (i * 7 + seed) % 4),
      4,
    ),
    "float32",
  );

function variablesOf(model: tfl.LayersModel): tf.Variable[] {
  return model.weights.map((weight) => weight.read() as tf.Variable);
}

/** Runs a program; the numbers that it shows: losses, predictions and, at the end, all weights of both models. */
export async function runProgram(program: ModelProgram, runner: Runner): Promise<number[]> {
  const [model, other] = [build(program, 1), build(program, 2)];
  compileModel(model, program.optimizer);
  compileModel(other, program.optimizer);
  const ends = [await runner.prepare(model), await runner.prepare(other)];
  // tfjs orders a model's weights by whether they are trainable: places hold while nothing is frozen.
  const [weights, otherWeights] = [variablesOf(model), variablesOf(other)];
  const averages = weights.map((weight) => tf.variable(weight, false));
  const shown: number[] = [];
  try {
    for (const [i, action] of program.actions.entries()) {
      shown.push(...(await act(action, { model, weights, otherWeights, averages, runner, seed: i + 1, program })));
    }
    shown.push(...[...weights, ...otherWeights, ...averages].flatMap((variable) => [...variable.dataSync()]));
    return shown;
  } finally {
    for (const end of ends) await end();
    for (const average of averages) average.dispose();
    for (const each of [model, other]) {
      each.optimizer.dispose();
      each.dispose();
    }
  }
}

interface State {
  readonly model: tfl.LayersModel;
  readonly weights: readonly tf.Variable[];
  readonly otherWeights: readonly tf.Variable[];
  readonly averages: readonly tf.Variable[];
  readonly runner: Runner;
  readonly seed: number;
  readonly program: ModelProgram;
}

async function act(
  action: Action,
  { model, weights, otherWeights, averages, runner, seed, program }: State,
): Promise<number[]> {
  const labels = (size: number) => Array.from({ length: program.outputs }, (_, head) => labelsOf(size, seed + head));
  switch (action.do) {
    case "train": {
      // tfjs refuses to train a model that is frozen whole.
      if (model.trainableWeights.length === 0) return [];
      const [x, y] = [batchOf(action.batch, seed), labels(action.batch)];
      const loss = await model.trainOnBatch(x, y.length === 1 ? y[0]! : y);
      tf.dispose([x, y]);
      return [loss].flat();
    }
    case "evaluate": {
      const [x, y] = [batchOf(action.batch, seed), labels(action.batch)];
      const results = [model.evaluate(x, y.length === 1 ? y[0]! : y, { batchSize: 3 })].flat() as tf.Scalar[];
      const numbers = numbersOf(results);
      tf.dispose([x, y, results]);
      return numbers;
    }
    case "predict": {
      const x = batchOf(action.batch, seed);
      const numbers = await runner.predict(model, x);
      x.dispose();
      return numbers;
    }
    case "scale":
      tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.mul(weight, action.factor))));
      return [];
    case "copyFromOther":
      for (const [i, weight] of weights.entries()) weight.assign(otherWeights[i]!);
      return [];
    case "freeze": {
      const layer = model.layers[action.layer % model.layers.length]!;
      layer.trainable = !layer.trainable;
      compileModel(model, program.optimizer);
      return [];
    }
    case "thaw":
      for (const layer of model.layers) layer.trainable = true;
      compileModel(model, program.optimizer);
      return [];
    case "average":
      tf.tidy(() => {
        for (const [i, weight] of weights.entries()) {
          averages[i]!.assign(tf.add(tf.mul(averages[i]!, 0.9), tf.mul(weight, 0.1)));
        }
      });
      return [];
  }
}
