import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import type { CompileOptions } from "../src/index.ts";
import { hashed } from "./networks.ts";

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/** A small function and the shapes of its inputs. */
interface Case {
  title: string;
  shapes: number[][];
  run: Op;
  /** tfjs has no gradient for it. */
  isForwardOnly?: boolean;
}

/** Numbers drawn from a seed, the same at every run of the test. */
class Draw {
  #at: number;

  constructor(seed: number) {
    this.#at = seed * 1e6;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(((hashed(this.#at++) + 1) / 2) * choices.length)]!;
  }

  /** Ones and zeros come often: rules must not take a size for another. */
  size(): number {
    return this.pick([1, 1, 2, 3, 4, 0]);
  }

  shape(rank: number, size = () => this.size()): number[] {
    return Array.from({ length: rank }, size);
  }
}

const activations: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  relu: tf.relu,
  relu6: tf.relu6,
  leakyRelu: (x) => tf.leakyRelu(x, 0.1),
  elu: tf.elu,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  softplus: tf.softplus,
  clip: (x) => tf.clipByValue(x, -1, 1),
  prelu: (x) => tf.prelu(x, tf.scalar(0.2)),
  abs: tf.abs,
};
const names = Object.keys(activations);

/** One kind of function for each rule and pass, with options that its preconditions must tell apart. */
const kinds: Record<string, (draw: Draw) => Case> = {
  "two activations": (draw) => {
    const [shape, a, b] = [draw.shape(draw.pick([0, 1, 2, 3, 4])), draw.pick(names), draw.pick(names)];
    return { title: `${b}(${a}([${shape}]))`, shapes: [shape], run: (x) => activations[b]!(activations[a]!(x!)) };
  },
  "a sum with a bias": (draw) => {
    const [shape, a, isFirst] = [draw.shape(draw.pick([1, 2, 3, 4, 5])), draw.pick(names), draw.pick([true, false])];
    const bias = draw.pick([[shape.at(-1)!], [1], shape]);
    const run: Op = (x, b) => activations[a]!(isFirst ? tf.add(b!, x!) : tf.add(x!, b!));
    // TensorFlow cannot sum nothing to one bias.
    return bias.length > 0 && bias[0] === 1 && shape.includes(0)
      ? { title: a, shapes: [shape, shape], run }
      : { title: `${a}([${shape}] + [${bias}]) ${isFirst}`, shapes: [shape, bias], run };
  },
  "a product with bias": (draw) => {
    const [m, k, n] = [draw.size(), draw.pick([1, 2, 3]), draw.size()];
    const lead = draw.pick([[], [1], [1, 1], [2]]);
    const [left, right] = [draw.pick([true, false]), draw.pick([true, false])];
    const a = draw.pick(names);
    return {
      title: `${a} of [${lead}] ${m} x ${k} x ${n} ${left} ${right}`,
      shapes: [[...lead, ...(left ? [k, m] : [m, k])], [...lead, ...(right ? [n, k] : [k, n])], [n]],
      run: (x, y, b) => activations[a]!(tf.add(tf.matMul(x!, y!, left, right), b!)),
    };
  },
  "a reduction": (draw) => {
    const shape = draw.shape(draw.pick([0, 1, 2, 3, 4]));
    const axes = [...shape.keys()].filter(() => draw.pick([true, false]));
    const keepsAxes = draw.pick([true, false]);
    return {
      title: `[${shape}] over [${axes}] ${keepsAxes}`,
      shapes: [shape],
      run: (x) => tf.sum(x!, axes, keepsAxes),
    };
  },
  "reshapes and a slice of everything": (draw) => {
    const shape = draw.shape(draw.pick([1, 2, 3, 4]));
    const size = shape.reduce((a, b) => a * b, 1);
    const [to, a] = [draw.pick([[size], [1, size], [size, 1], shape.toReversed()]), draw.pick(names)];
    const whole = shape.map((length) => draw.pick([length, -1]));
    return {
      title: `[${shape}] to [${to}], ${a}`,
      shapes: [shape],
      run: (x) => {
        const back = tf.reshape(activations[a]!(tf.reshape(tf.reshape(x!, to), to)), shape);
        return tf.slice(
          back,
          shape.map(() => 0),
          whole,
        );
      },
    };
  },
  "a convolution": (draw) => {
    const [n, h, w, c, out] = draw.shape(5, () => draw.pick([1, 1, 2, 4])) as [number, number, number, number, number];
    const [kh, kw] = [draw.pick([1, 1, 2, 3]), draw.pick([1, 1, 2, 3])];
    const [stride, dilation] = draw.pick([
      [1, 1],
      [2, 1],
      [1, 2],
    ] as const);
    const around = (k: number): [number, number] => [(k - 1) * dilation, draw.pick([0, 1])];
    const explicit: [[number, number], [number, number], [number, number], [number, number]] = [
      [0, 0],
      around(kh),
      around(kw),
      [0, 0],
    ];
    const [pad, a, isShared] = [draw.pick(["same", explicit] as const), draw.pick(names), draw.pick([true, false])];
    const run: Op = (x, filter, b) => {
      const y = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad, "NHWC", dilation);
      const z = tf.add(y, b!);
      return isShared ? tf.add(activations[a]!(z), z) : activations[a]!(z);
    };
    return {
      title: `${a} of [${[n, h, w, c]}] by ${kh}x${kw} to ${out} / ${stride}, dilation ${dilation}, ${JSON.stringify(pad)}`,
      shapes: [[n, h, w, c], [kh, kw, c, out], [out]],
      run,
      isForwardOnly: dilation > 1 || pad !== "same",
    };
  },
  "a depthwise convolution": (draw) => {
    const [n, h, w, c] = draw.shape(4, () => draw.pick([1, 2, 4])) as [number, number, number, number];
    const [kh, kw, multiplier, stride] = [
      draw.pick([1, 2, 3]),
      draw.pick([1, 2, 3]),
      draw.pick([1, 2]),
      draw.pick([1, 2]),
    ];
    const explicit: [[number, number], [number, number], [number, number], [number, number]] = [
      [0, 0],
      [kh - 1, draw.pick([0, 1, 3])],
      [draw.pick([0, 1, 3]), kw - 1],
      [0, 0],
    ];
    const [a, pad] = [draw.pick(names), draw.pick(["same", explicit] as const)];
    return {
      title: `${a} of [${[n, h, w, c]}] by ${kh}x${kw}x${multiplier} / ${stride}, ${JSON.stringify(pad)}`,
      shapes: [[n, h, w, c], [kh, kw, c, multiplier], [c * multiplier]],
      run: (x, filter, b) =>
        activations[a]!(tf.add(tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad), b!)),
      isForwardOnly: pad !== "same",
    };
  },
};

/** The result, and the gradients of a sum of it that weighs each element by its place. */
function derived({ run, isForwardOnly }: Case, inputs: tf.Tensor[]): tf.Tensor[] {
  if (isForwardOnly === true) return [run(...inputs)];
  const sum = (y: tf.Tensor) => tf.sum(tf.mul(y, tf.reshape(tf.sin(tf.range(0, y.size)), y.shape)));
  return [run(...inputs), ...tf.grads((...x: tf.Tensor[]) => sum(run(...x)))(inputs)];
}

const data = (shape: number[], seed: number) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 2 * hashed(seed + i)),
  shape,
});

/** Compiles many functions as one, and compares each result with eager tfjs'. */
async function expectEager(cases: readonly Case[], options: CompileOptions): Promise<void> {
  const inputs = cases.map(({ shapes }, i) => shapes.map((shape, j) => data(shape, 1e7 + 1e4 * i + 1e3 * j)));
  const compiled = compile((all: tf.Tensor[][]) => cases.map((one, i) => derived(one, all[i]!)), options);
  const got = await compiled(inputs);
  await compiled.dispose();
  cases.forEach((one, i) =>
    tf.tidy(() => {
      const expected = derived(
        one,
        inputs[i]!.map(({ data, shape }) => tf.tensor(data, shape)),
      );
      expected.forEach((tensor, j) => {
        const wanted = tensor.dataSync<"float32">();
        const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        expect(got[i]![j]!.shape, one.title).toEqual(tensor.shape);
        const worst = wanted.reduce((most, value, k) => Math.max(most, Math.abs(value - got[i]![j]!.data[k]!)), 0);
        expect(worst / scale, `${one.title}, result ${j}`).toBeLessThan(1e-5);
      });
    }),
  );
}

describe.runIf(engines.includes("native"))("rules and passes keep eager tfjs' numbers", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(Object.keys(kinds))("over sizes of one and none, any rank and any options: %s", async (kind) => {
    const draw = new Draw(Object.keys(kinds).indexOf(kind) + 1);
    await expectEager(
      Array.from({ length: 60 }, () => kinds[kind]!(draw)),
      {},
    );
  });

  // TensorFlow's own kernels end the process there.
  test.each([
    ["a window that meets no pixel", [1, 4], 1],
    ["a depthwise window with numbers for its padding", [2, 5], 3],
  ] as const)("%s takes an image that is padded by an op of its own", async (title, [h, w], size) => {
    const pads: [[number, number], [number, number], [number, number], [number, number]] = [
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ];
    const isDepthwise = title.includes("depthwise");
    const convolve = isDepthwise ? tf.depthwiseConv2d : tf.conv2d;
    const window = tf.ones<tf.Rank.R4>([isDepthwise ? 1 : size, size, 1, 1]);
    const compiled = compile((x: tf.Tensor4D, bias: tf.Tensor) =>
      tf.relu(tf.add(convolve(x, window, 2, pads, "NHWC"), bias)),
    );
    const image = { data: Float32Array.from({ length: h * w }, (_, i) => i + 1), shape: [1, h, w, 1] };
    const { data } = await compiled(image as never, { data: Float32Array.of(0.5), shape: [1] } as never);
    // Sums of each second window, the last ones over the padding.
    expect([...data]).toEqual(isDepthwise ? [6.5, 12.5, 0.5, 0.5] : [1.5, 3.5, 0.5]);
    expect(compiled.describe()[0]?.ops).toMatchObject({ PadV2: 1 });
    await compiled.dispose();
    window.dispose();
  });

  test("a product with a step function is NaN where its input is, unless it is ReLU's gradient", async () => {
    const masked = compile((x: tf.Tensor, y: tf.Tensor) => [tf.mul(y, tf.step(x)), tf.mul(tf.step(x), y)]);
    const results = await masked(Float32Array.of(Number.NaN, -1, 2), Float32Array.of(3, 4, 5));
    for (const { data } of results) expect([...data]).toEqual([Number.NaN, 0, 5]);
    await masked.dispose();
  });

  test.each(["relu", "relu6", "elu", "tanh", "sigmoid", "leakyRelu", "softplus", "clip", "prelu", "abs"])(
    "NaN and infinity go through %s as in eager tfjs",
    async (name) => {
      const values = Float32Array.of(Number.NaN, Infinity, -Infinity, 1, -1, 0);
      const compiled = compile((x: tf.Tensor) => activations[name]!(x));
      const { data } = await compiled(values);
      expect([...data]).toEqual([...tf.tidy(() => activations[name]!(tf.tensor(values)).dataSync())]);
      expect(data[0]).toBeNaN();
      await compiled.dispose();
    },
  );
});
