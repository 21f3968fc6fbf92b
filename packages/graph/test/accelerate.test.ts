import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, adam } from "../src/index.ts";
import { hashed, setHashedWeights } from "./networks.ts";

const values = (shape: number[], seed = 1) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => hashed(seed * 1e6 + i)),
    shape,
  );
};
const oneHot = (n: number, classes: number) =>
  tf.cast(
    tf.oneHot(
      tf.tensor1d(
        [...Array(n).keys()].map((i) => i % classes),
        "int32",
      ),
      classes,
    ),
    "float32",
  );

const indices = (shape: number[], seed: number) =>
  tf.tidy(() => tf.cast(tf.floor(tf.mul(tf.add(values(shape, seed), 1), 3.4)), "float32"));
const zeroKernel = { kernelInitializer: "zeros" } as const;
const undrawn = { kernelInitializer: "zeros", recurrentInitializer: "zeros" } as const;

/** `[n, steps, units] -> [n, units]` */
class LastStep extends tfl.layers.Layer {
  static className = "LastStep";
  override computeOutputShape([n, , units]: (number | null)[]): (number | null)[] {
    return [n as null, units as number];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor3D];
    const [n, steps, units] = x.shape;
    return tf.reshape(tf.slice(x, [0, steps - 1, 0], [n, 1, units]), [n, units]);
  }
}

type Loss = string | string[] | ((truth: tf.Tensor, guess: tf.Tensor) => tf.Tensor);

/** Published programs' kinds of model: the docs' convnet, date conversion's encoder and decoder, ACGAN's discriminator. */
const programs = {
  "a convnet from the docs": () => {
    const model = tfl.sequential();
    model.add(
      tfl.layers.conv2d({
        inputShape: [12, 12, 1],
        filters: 8,
        kernelSize: 3,
        activation: "relu",
        kernelInitializer: "zeros",
      }),
    );
    model.add(tfl.layers.maxPooling2d({ poolSize: [2, 2] }));
    model.add(tfl.layers.batchNormalization({}));
    model.add(tfl.layers.flatten());
    model.add(tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer: "zeros" }));
    return { model, x: values([20, 12, 12, 1]), y: oneHot(20, 3), loss: "categoricalCrossentropy" };
  },
  "a recurrent net, as in date conversion": () => {
    const input = tfl.input({ shape: [5] });
    const zeros = "zeros" as const;
    const embedded = tfl.layers.embedding({ inputDim: 7, outputDim: 4, embeddingsInitializer: zeros }).apply(input);
    const encoded = tfl.layers
      .lstm({ units: 6, returnSequences: true, kernelInitializer: zeros, recurrentInitializer: zeros })
      .apply(embedded) as tfl.SymbolicTensor;
    const joined = tfl.layers.concatenate().apply([encoded, embedded as tfl.SymbolicTensor]) as tfl.SymbolicTensor;
    const output = tfl.layers
      .timeDistributed({ layer: tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer: zeros }) })
      .apply(joined);
    const model = tfl.model({ inputs: input, outputs: output as tfl.SymbolicTensor });
    const x = tf.tidy(() => tf.cast(tf.floor(tf.mul(tf.add(values([20, 5]), 1), 3.4)), "float32"));
    return { model, x, y: tf.reshape(oneHot(100, 3), [20, 5, 3]), loss: "categoricalCrossentropy" };
  },
  "two outputs and leaky ReLU, as in ACGAN": () => {
    const input = tfl.input({ shape: [8, 8, 1] });
    const conv = tfl.layers
      .conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same", kernelInitializer: "zeros" })
      .apply(input);
    const features = tfl.layers.flatten().apply(tfl.layers.leakyReLU({ alpha: 0.2 }).apply(conv)) as tfl.SymbolicTensor;
    const real = tfl.layers
      .dense({ name: "real", units: 1, activation: "sigmoid", kernelInitializer: "zeros" })
      .apply(features) as tfl.SymbolicTensor;
    const digit = tfl.layers
      .dense({ name: "digit", units: 3, activation: "softmax", kernelInitializer: "zeros" })
      .apply(features) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: [real, digit] });
    const y = [tf.cast(tf.greater(values([20, 1], 9), 0), "float32"), oneHot(20, 3)];
    return { model, x: values([20, 8, 8, 1]), y, loss: ["binaryCrossentropy", "categoricalCrossentropy"] };
  },
  "attention between two recurrent nets, as in date conversion": () => {
    const [from, to] = [tfl.input({ shape: [5] }), tfl.input({ shape: [4] })];
    const embed = (x: tfl.SymbolicTensor) =>
      tfl.layers
        .embedding({ inputDim: 7, outputDim: 4, embeddingsInitializer: "zeros" })
        .apply(x) as tfl.SymbolicTensor;
    const recurrent = () => tfl.layers.lstm({ units: 6, returnSequences: true, ...undrawn });
    const encoder = recurrent().apply(embed(from)) as tfl.SymbolicTensor;
    const last = new LastStep({}).apply(encoder) as tfl.SymbolicTensor;
    const decoder = recurrent().apply(embed(to), { initialState: [last, last] }) as tfl.SymbolicTensor;
    const scores = tfl.layers.dot({ axes: [2, 2] }).apply([decoder, encoder]);
    const attention = tfl.layers.activation({ activation: "softmax" }).apply(scores) as tfl.SymbolicTensor;
    const context = tfl.layers.dot({ axes: [2, 1] }).apply([attention, encoder]) as tfl.SymbolicTensor;
    const joined = tfl.layers.concatenate().apply([context, decoder]);
    const each = (units: number, activation: "tanh" | "softmax") =>
      tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units, activation, kernelInitializer: "zeros" }) });
    const output = each(3, "softmax").apply(each(5, "tanh").apply(joined)) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: [from, to], outputs: output });
    const y = tf.reshape(oneHot(80, 3), [20, 4, 3]);
    return { model, x: [indices([20, 5], 1), indices([20, 4], 2)], y, loss: "categoricalCrossentropy" };
  },
  "an encoder and a decoder, as in adding numbers": () => {
    const model = tfl.sequential();
    model.add(tfl.layers.lstm({ units: 6, inputShape: [5, 4], ...undrawn }));
    model.add(tfl.layers.repeatVector({ n: 3 }));
    model.add(tfl.layers.gru({ units: 6, returnSequences: true, ...undrawn }));
    model.add(tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units: 3, kernelInitializer: "zeros" }) }));
    model.add(tfl.layers.activation({ activation: "softmax" }));
    const y = tf.reshape(oneHot(60, 3), [20, 3, 3]);
    return { model, x: values([20, 5, 4]), y, loss: "categoricalCrossentropy" };
  },
  "a generator of pictures, as in ACGAN": () => {
    const [noise, digit] = [tfl.input({ shape: [6] }), tfl.input({ shape: [1] })];
    const embedded = tfl.layers.embedding({ inputDim: 7, outputDim: 6, embeddingsInitializer: "zeros" }).apply(digit);
    const mixed = tfl.layers
      .multiply()
      .apply([noise, tfl.layers.flatten().apply(embedded) as tfl.SymbolicTensor]) as tfl.SymbolicTensor;
    const grow = (filters: number, strides: number, activation: "relu" | "tanh") =>
      tfl.layers.conv2dTranspose({
        filters,
        kernelSize: 5,
        strides,
        padding: "same",
        activation,
        kernelInitializer: "zeros",
      });
    const small = tfl.layers.dense({ units: 3 * 3 * 4, activation: "relu", kernelInitializer: "zeros" }).apply(mixed);
    const picture = tfl.layers.reshape({ targetShape: [3, 3, 4] }).apply(small);
    const wider = tfl.layers.batchNormalization({}).apply(grow(3, 2, "relu").apply(picture));
    const output = grow(1, 2, "tanh").apply(wider) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: [noise, digit], outputs: output });
    const y = values([20, 12, 12, 1], 3);
    return { model, x: [values([20, 6]), indices([20, 1], 2)], y, loss: "meanSquaredError" };
  },
  "words read both ways, as in sentiment": () => {
    const model = tfl.sequential();
    model.add(tfl.layers.embedding({ inputDim: 7, outputDim: 4, inputLength: 5, embeddingsInitializer: "zeros" }));
    const layer = tfl.layers.lstm({ units: 3, ...undrawn }) as tfl.RNN;
    model.add(tfl.layers.bidirectional({ layer, mergeMode: "concat" }));
    model.add(tfl.layers.dense({ units: 1, activation: "sigmoid", kernelInitializer: "zeros" }));
    const y = tf.cast(tf.greater(values([20, 1], 9), 0), "float32");
    return { model, x: indices([20, 5], 1), y, loss: "binaryCrossentropy" };
  },
  "a frozen base and a loss of its own, as in finding objects": () => {
    const model = tfl.sequential();
    const conv = { kernelInitializer: "zeros", useBias: false, trainable: false } as const;
    model.add(tfl.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, strides: 2, ...conv }));
    model.add(tfl.layers.batchNormalization({ trainable: false }));
    model.add(tfl.layers.reLU({ maxValue: 6 }));
    model.add(tfl.layers.flatten());
    model.add(tfl.layers.dense({ units: 3, kernelInitializer: "zeros" }));
    const loss = (truth: tf.Tensor, guess: tf.Tensor) =>
      tf.tidy(() => {
        const n = truth.shape[0] as number;
        const [isTrue, isGuess] = [truth, tf.sigmoid(guess)].map((x) => tf.slice(x, [0, 0], [n, 1]));
        const [box, guessed] = [truth, guess].map((x) => tf.slice(x, [0, 1], [n, 2]));
        const kind = tf.mean(tfl.metrics.binaryCrossentropy(isTrue!, isGuess!));
        return tf.add(tf.mul(kind, 10), tfl.metrics.meanSquaredError(box!, guessed!));
      });
    const y = tf.concat([tf.cast(tf.greater(values([20, 1], 9), 0), "float32"), values([20, 2], 4)], 1);
    return { model, x: values([20, 8, 8, 3]), y, loss };
  },
} satisfies Record<
  string,
  () => { model: tfl.LayersModel; x: tf.Tensor | tf.Tensor[]; y: tf.Tensor | tf.Tensor[]; loss: Loss }
>;

describe.runIf(engines.includes("native"))("an accelerated model", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.env().set("IS_TEST", false);
  });

  test.each(Object.entries(programs))("%s: fit, evaluate, predict as without", async (_, make) => {
    const outcomes = [];
    for (const fast of [false, true]) {
      const { model, x, y, loss } = make();
      setHashedWeights(model);
      const notices: string[] = [];
      const accelerated = fast ? accelerate(model, { onNotice: (line) => notices.push(line) }) : undefined;
      model.compile({ optimizer: tf.train.adam(0.01), loss, metrics: ["accuracy"] });
      const epochs: number[] = [];
      const { history } = await model.fit(x, y, {
        batchSize: 8,
        epochs: 2,
        verbose: 0,
        shuffle: false,
        validationData: [x, y],
        callbacks: { onEpochEnd: (epoch) => void epochs.push(epoch) },
      });
      const evaluated = [model.evaluate(x, y, { batchSize: 8 })].flat().map((scalar) => scalar.dataSync()[0] as number);
      const batch = await model.trainOnBatch(x, y);
      const predicted = [model.predict(x, { batchSize: 8 })].flat().map((t) => [...t.dataSync()]);
      expect(notices).toEqual([]);
      expect(epochs).toEqual([0, 1]);
      if (accelerated !== undefined) {
        expect(accelerated.describe().length).toBeGreaterThan(3);
        await accelerated.dispose();
        const again = [model.predict(x, { batchSize: 8 })].flat().map((t) => [...t.dataSync()]);
        close(again.flat(), predicted.flat());
      }
      outcomes.push({ history, numbers: [...evaluated, ...[batch].flat(), ...predicted.flat()] });
    }
    const [eager, fast] = outcomes as [(typeof outcomes)[0], (typeof outcomes)[0]];
    expect(Object.keys(fast.history)).toEqual(Object.keys(eager.history));
    close(Object.values(fast.history).flat() as number[], Object.values(eager.history).flat() as number[]);
    close(fast.numbers, eager.numbers);
  });

  test("leaks nothing over many batches", async () => {
    const { model, x, y, loss } = programs["a convnet from the docs"]();
    const accelerated = accelerate(model);
    model.compile({ optimizer: "sgd", loss });
    await model.trainOnBatch(x, y);
    const { numTensors } = tf.memory();
    for (let i = 0; i < 20; i++) await model.trainOnBatch(x, y);
    expect(tf.memory().numTensors).toBe(numTensors);
    await accelerated.dispose();
  });

  test("runs eagerly what cannot be compiled, and says so once", async () => {
    class Peeking extends tfl.layers.Layer {
      static className = "Peeking";
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const [x] = [inputs].flat() as [tf.Tensor];
        return tf.mul(x, 1 + tf.max(x).dataSync().length);
      }
    }
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] }), new Peeking({})] });
    const notices: string[] = [];
    const accelerated = accelerate(model, { onNotice: (line) => notices.push(line) });
    for (let i = 0; i < 2; i++) model.predict(values([3, 2]));
    expect(notices).toEqual([expect.stringMatching(/^Prediction of the model .* runs eagerly: .*read back/)]);
    await accelerated.dispose();
  });

  /** Models of which something cannot be compiled, and how often that is said. */
  const uncompilable = {
    "a layer that keeps its state": () => {
      const recurrent = tfl.layers.lstm({ units: 3, stateful: true, batchInputShape: [4, 5, 2], ...undrawn });
      return { layers: [recurrent, tfl.layers.dense({ units: 1, ...zeroKernel })], x: [8, 5, 2], notices: 2 };
    },
    "a layer that reads small batches": () => {
      class Small extends tfl.layers.Layer {
        static className = "Small";
        override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
          const [x] = [inputs].flat() as [tf.Tensor];
          return tf.mul(x, (x.shape[0] as number) < 4 ? tf.max(x).dataSync().length : 1);
        }
      }
      return {
        layers: [tfl.layers.dense({ units: 1, inputShape: [2], ...zeroKernel }), new Small({})],
        x: [6, 2],
        notices: 2,
      };
    },
    "a metric, which comes after the update": () => {
      const metric = (truth: tf.Tensor, guess: tf.Tensor) => tf.scalar(tf.mean(tf.sub(truth, guess)).dataSync()[0]!);
      return {
        layers: [tfl.layers.dense({ units: 1, inputShape: [2], ...zeroKernel })],
        x: [8, 2],
        metric,
        notices: 1,
      };
    },
  };

  test.each(Object.entries(uncompilable))("has eager tfjs' numbers with %s", async (_, make) => {
    const outcomes = [];
    for (const fast of [false, true]) {
      const { layers, x: shape, notices, ...rest } = make();
      const model = tfl.sequential({ layers });
      setHashedWeights(model);
      const heard: string[] = [];
      const accelerated = fast ? accelerate(model, { onNotice: (line) => heard.push(line) }) : undefined;
      const metrics = "metric" in rest ? [rest.metric as (truth: tf.Tensor, guess: tf.Tensor) => tf.Tensor] : [];
      model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError", metrics });
      const [x, y] = [values(shape), values([shape[0] as number, 1], 2)];
      const { history } = await model.fit(x, y, { batchSize: 4, epochs: 3, verbose: 0, shuffle: false });
      const predicted = model.predict(x, { batchSize: 4 }) as tf.Tensor;
      outcomes.push([...(Object.values(history).flat() as number[]), ...predicted.dataSync()]);
      if (fast) expect(heard).toHaveLength(notices);
      await accelerated?.dispose();
    }
    close(outcomes[1]!, outcomes[0]!);
  });

  test.each([
    ["Adam", () => tf.train.adam(0.01)],
    ["RMSprop", () => tf.train.rmsprop(0.01, 0.9, 0.5)],
    ["Adagrad", () => tf.train.adagrad(0.01)],
    ["this package's Adam", () => adam()],
  ] as const)("has eager tfjs' numbers where the square of a gradient overflows: %s", async (_, make) => {
    const outcomes: number[][] = [];
    for (const fast of [false, true]) {
      const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3], ...zeroKernel })] });
      setHashedWeights(model);
      model.compile({ optimizer: make(), loss: "meanAbsoluteError" });
      const accelerated = fast ? accelerate(model) : undefined;
      const losses = [];
      for (const size of [1, 1, 1e20, 1, 1, 1e20, 1, 1]) {
        const x = tf.mul(values([4, 3]), tf.tensor1d([1, size, 1]));
        losses.push((await model.trainOnBatch(x, values([4, 2], 2))) as number);
      }
      outcomes.push([...losses, ...model.getWeights().flatMap((weight) => [...weight.dataSync()])]);
      await accelerated?.dispose();
    }
    outcomes[1]!.forEach((value, i) => {
      const expected = outcomes[0]![i] as number;
      if (Number.isFinite(expected))
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      else expect(value).toBe(expected);
    });
  });

  test("fails as eager tfjs does, and goes on compiled", async () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2], ...zeroKernel })] });
    const loss = (truth: tf.Tensor, guess: tf.Tensor) => tf.mean(tf.matMul(tf.zeros([4, 4]), tf.sub(truth, guess)));
    model.compile({ optimizer: "sgd", loss });
    const notices: string[] = [];
    const accelerated = accelerate(model, { onNotice: (line) => notices.push(line) });
    await expect(model.trainOnBatch(values([3, 2]), values([3, 1]))).rejects.toThrow(
      /^Invalid TF_Status.*\n.*Matrix size-incompatible/,
    );
    await model.trainOnBatch(values([4, 2]), values([4, 1]));
    expect(accelerated.describe()).toHaveLength(1);
    expect(notices).toEqual([]);
    await accelerated.dispose();
  });
});

function close(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => expect(Math.abs(value - (b[i] as number))).toBeLessThan(2e-4));
}
