import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile, hyper, isTracing, random } from "../src/index.ts";
import type { TensorLike } from "../src/index.ts";

/** A title, a function, what its error says, and its argument. */
type Wrong = [string, (x: tf.Tensor) => tf.Tensor, RegExp, (() => Exclude<TensorLike, number>)?];

const vector = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });

describe.runIf(engines.includes("native"))("a compiled function", () => {
  let leaked: tf.Tensor;
  const stateful = tfl.layers.lstm({
    units: 2,
    stateful: true,
    batchInputShape: [1, 2, 1],
    kernelInitializer: "zeros",
    recurrentInitializer: "zeros",
  });

  beforeAll(async () => {
    await useEngine("native");
    stateful.apply(tf.zeros([1, 2, 1]));
    const leaking = compile((x: tf.Tensor) => {
      leaked = tf.keep(tf.neg(x));
      return x;
    });
    await leaking(tf.scalar(1));
    await leaking.dispose();
  });

  test("takes and returns nested structures", async () => {
    const f = compile((a: { x: tf.Tensor; list: tf.Tensor[] }, name: string) => ({
      name,
      sums: a.list.map((t) => tf.add(t, a.x)),
      nothing: null,
    }));
    const result = await f({ x: tf.scalar(10), list: [vector(1, 2), tf.tensor1d([3])] }, "n");
    expect(result.name).toBe("n");
    expect(result.nothing).toBeNull();
    expect(result.sums.map(({ data, shape }) => [[...data], shape])).toEqual([
      [[11, 12], [2]],
      [[13], [1]],
    ]);
    await f.dispose();
  });

  test("is traced once a signature", async () => {
    let traced = 0;
    const f = compile((x: tf.Tensor) => {
      traced++;
      expect(isTracing()).toBe(true);
      return tf.sum(x);
    });
    for (const x of [vector(1, 2), vector(3, 4), vector(5)]) await f(x);
    expect(traced).toBe(2);
    expect(f.describe().map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [["0: float32 [2]"], ["result: float32 []"]],
      [["0: float32 [1]"], ["result: float32 []"]],
    ]);
    await f.dispose();
  });

  test.each([
    ["float32", Float32Array.of(1.5, 2), "float32", [1.5, 2]],
    ["int32", Int32Array.of(1, -2), "int32", [1, -2]],
    ["bytes", Uint8Array.of(1, 255), "float32", [1, 255]],
  ])("sees %s", async (_, data, dtype, expected) => {
    const f = compile((x: tf.Tensor) => {
      expect(x.dtype).toBe(dtype);
      return x;
    });
    expect([...(await f({ data, shape: [2] })).data]).toEqual(expected);
    await f.dispose();
  });

  test("takes typed arrays as they are, with one axis", async () => {
    const f = compile((x: tf.Tensor, y: { z: tf.Tensor }) => tf.add(tf.mul(x, 2), y.z));
    const x = Float32Array.of(1, 2);
    expect([...(await f(x, { z: Uint8Array.of(3, 255) })).data]).toEqual([5, 259]);
    x[0] = 10;
    expect([...(await f(x, { z: Int32Array.of(0, 1) })).data]).toEqual([20, 5]);
    await f.dispose();
  });

  test.each([
    ["an empty list and none", [{ list: [] }], [{}]],
    ["no argument and an empty one", [], [[]]],
    ["an array and an object", [["a"]], [{ 0: "a" }]],
    ["texts that hold what lies between texts", ["x", "y"], ['x";1=string "y']],
    ["a text and a number's text", ["true"], [true]],
  ] as [string, unknown[], unknown[]][])("tells apart %s", async (_, one, other) => {
    const f = compile((...args: unknown[]) => ({ seen: JSON.stringify(args) }) as unknown);
    const seen = async (args: unknown[]) => (await f(...(args as never[]))) as { seen: string };
    expect(await seen(one)).toEqual({ seen: JSON.stringify(one) });
    expect(await seen(other)).toEqual({ seen: JSON.stringify(other) });
    await f.dispose();
  });

  test("takes numbers, texts and booleans among its arguments as they are", async () => {
    const kernel = tf.tensor4d([1], [1, 1, 1, 1]);
    const f = compile((x: tf.Tensor, stride: number, pad: "same" | "valid", doubles: boolean) =>
      tf.mul(tf.conv2d(x as tf.Tensor4D, kernel, stride, pad), doubles ? 2 : 1),
    );
    const image = { data: Float32Array.of(1, 2, 3, 4), shape: [1, 2, 2, 1] };
    expect([...(await f(image, 1, "valid", false)).data]).toEqual([1, 2, 3, 4]);
    expect([...(await f(image, 2, "valid", false)).data]).toEqual([1]);
    expect([...(await f(image, 2, "valid", true)).data]).toEqual([2]);
    expect([...(await f(image, 1, "valid", false)).data]).toEqual([1, 2, 3, 4]);
    expect(f.describe()).toHaveLength(3);
    await f.dispose();
  });

  test("says once that it is traced for many values of a number", async () => {
    const notices: string[] = [];
    const f = compile((x: tf.Tensor, n: number) => tf.mul(x, n), { onNotice: (line) => notices.push(line) });
    for (let n = 1; n <= 12; n++) expect((await f(tf.scalar(2), n)).item()).toBe(2 * n);
    expect(notices).toEqual([expect.stringMatching(/traced anew for each value of a number.*tensor.*hyper/)]);
    await f.dispose();
    const shapes = compile((x: tf.Tensor) => tf.sum(x), { onNotice: (line) => notices.push(line) });
    for (let n = 1; n <= 12; n++) await shapes(tf.ones([n]));
    expect(notices).toHaveLength(1);
    await shapes.dispose();
  });

  test("refuses options that it does not know", () => {
    expect(() => compile((x: tf.Tensor) => x, { frozen: true } as object)).toThrow(/compile: .*freeze.*got "frozen"/);
  });

  test("follows `trainable`, and has a trace for each state", async () => {
    const [a, b] = [tf.variable(tf.scalar(2)), tf.variable(tf.scalar(3))];
    let traced = 0;
    const step = compile(() => {
      traced++;
      return tf.train
        .sgd(0.1)
        .minimize(() => tf.add(tf.square(a), tf.square(b)) as tf.Scalar, true, [a, b]) as tf.Scalar;
    });
    const values = async () => {
      await step();
      return [a.dataSync()[0] as number, b.dataSync()[0] as number].map((v) => Math.round(v * 1e4) / 1e4);
    };
    expect(await values()).toEqual([1.6, 2.4]);
    a.trainable = false;
    expect(await values()).toEqual([1.6, 1.92]);
    a.trainable = true;
    expect(await values()).toEqual([1.28, 1.536]);
    a.trainable = false;
    expect(await values()).toEqual([1.28, 1.2288]);
    expect(traced).toBe(2);
    await step.dispose();
  });

  test("reads numbers that change between runs", async () => {
    const weight = hyper(2);
    const f = compile((x: tf.Tensor) => tf.mul(x, weight.read()));
    expect((await f(tf.scalar(3))).item()).toBe(6);
    weight.value = 5;
    expect((await f(tf.scalar(3))).item()).toBe(15);
    await f.dispose();
  });

  test("stores uniform constants as one number", async () => {
    const f = compile((x: tf.Tensor) => tf.add(tf.mul(x, tf.ones([1000, 100])), tf.zeros([1000, 100])));
    const [sum] = [...(await f(tf.scalar(2))).data];
    expect(sum).toBe(2);
    expect(f.describe()[0]?.graphBytes).toBeLessThan(4000);
    await f.dispose();
  });

  test.each([
    [
      "a read-back",
      (x: tf.Tensor) => tf.scalar(tf.add(x, 1).dataSync()[0] as number),
      /read back.*Add.*tracing\.test\.ts:\d+/,
    ],
    ["a branch on a value", (x: tf.Tensor) => (tf.sum(x).arraySync() === 0 ? x : tf.neg(x)), /read back.*tf\.where/],
    ["a disposed tensor", (x: tf.Tensor) => tf.add(x, disposed()), /disposed/],
    ["a size that depends on data", (x: tf.Tensor) => tf.unique(x as tf.Tensor1D).values, /Unique.*depends on data/],
    ["strings", () => tf.scalar(0), /argument 0 .* strings/, () => tf.tensor1d(["a"])],
    [
      "a shape of halves",
      (x: tf.Tensor) => x,
      /argument 0 .*\[1\.5, 2\]/,
      () => ({ data: new Float32Array(3), shape: [1.5, 2] }),
    ],
    ["an async function", (async (x: tf.Tensor) => tf.add(x, (await x.data())[0]!)) as never, /returned a promise/],
    ["a tensor of another run", (x: tf.Tensor) => tf.add(x, leaked), /another run .*\(Neg\).*tf\.Variable/],
    ["a recurrent layer with a state", (x: tf.Tensor) => stateful.apply(tf.reshape(x, [1, 2, 1])), /layer .*stateful/],
    ["random numbers from JavaScript", (x: tf.Tensor) => tf.add(x, tf.randomGamma([2], 2)), /random\.normal/],
  ] as Wrong[])("says what is wrong: %s", async (_, fn, message, input = () => vector(1, 2)) => {
    const f = compile(fn);
    await expect(f(input())).rejects.toThrow(message);
    expect(isTracing()).toBe(false);
    await f.dispose();
  });

  test.each([
    ["threads", { threads: 0 }, "compile: expected threads to be a whole number from 1, got 0."],
    [
      "a precision",
      { precision: "int8" as "float16" },
      'compile: expected precision to be one of float32, bfloat16, float16, got "int8".',
    ],
  ] as const)("says what is wrong in its options: %s", (_, options, message) => {
    expect(() => compile((x: tf.Tensor) => x, options)).toThrow(message);
  });

  test("takes a leaky ReLU's gradient from its result, as ReLU's", async () => {
    const grad = tf.grad((x) => tf.sum(tf.square(tf.leakyRelu(tf.add(x, 0.5), 0.1))));
    const f = compile(grad);
    const { data } = await f(vector(-3, -0.5, 2));
    expect(f.describe()[0]?.ops).toMatchObject({ LeakyReluGrad: 1 });
    expect(f.describe()[0]?.ops).not.toHaveProperty("Greater");
    [...grad(tf.tensor1d([-3, -0.5, 2])).dataSync()].forEach((value, i) => expect(data[i]).toBeCloseTo(value, 6));
    await f.dispose();
  });

  test.each([
    ["of a sum that nothing else needs stays", "leaky", { LeakyRelu: 1 }],
    ["of one that is needed elsewhere is a choice", "sum", { SelectV2: 1 }],
    ["of one that is a result too is a choice", "both", { SelectV2: 1 }],
  ] as const)("a leaky ReLU %s", async (_, what, ops) => {
    const kernel = tf.tensor4d([1, -2, 3, 0.5], [1, 1, 2, 2]);
    const fn = (x: tf.Tensor) => {
      const sum = tf.add(tf.conv2d(x as tf.Tensor4D, kernel, 1, "same"), tf.tensor1d([0.5, -1]));
      const leaky = tf.leakyRelu(sum, 0.2);
      return what === "both" ? [sum, leaky] : [what === "sum" ? tf.add(leaky, tf.abs(sum)) : leaky];
    };
    const f = compile(fn);
    const x = { data: Float32Array.of(1, -1, 0.5, 2, -3, 0.25, 0, 1), shape: [1, 2, 2, 2] };
    const got = await f(x);
    expect(f.describe()[0]?.ops).toMatchObject(ops);
    for (const [index, expected] of fn(tf.tensor(x.data, x.shape)).entries())
      [...expected.dataSync()].forEach((value, i) => expect(got[index]!.data[i]).toBeCloseTo(value, 6));
    await f.dispose();
  });

  test.each([0, 0.3])("the step function of slope %d is tfjs', of what is no number too", async (alpha) => {
    const fn = (x: tf.Tensor) => tf.step(x, alpha);
    const f = compile(fn);
    const values = [-2, -0, 0, 1e-30, 3, Number.NaN, Number.POSITIVE_INFINITY];
    const { data } = await f(vector(...values));
    expect([...data]).toEqual([...fn(tf.tensor1d(values)).dataSync()]);
    await f.dispose();
  });

  test("ReLU's gradient makes no tensor in JavaScript as large as its input", async () => {
    const size = 1 << 20;
    const f = compile(tf.grad((x) => tf.sum(tf.relu(x))));
    const made: number[] = [];
    const { makeTensor } = tf.engine();
    tf.engine().makeTensor = function (...args) {
      made.push((args[0] as ArrayLike<number>).length);
      return makeTensor.apply(this, args);
    };
    try {
      await f({ data: new Float32Array(size).fill(2), shape: [size] });
    } finally {
      tf.engine().makeTensor = makeTensor;
    }
    // One is the gradient of the sum.
    expect(made.filter((length) => length >= size)).toHaveLength(1);
    await f.dispose();
  });

  test("reads back what depends on constants alone", async () => {
    const f = compile((x: tf.Tensor) => tf.mul(x, tf.add(tf.scalar(2), 1).dataSync()[0] as number));
    expect((await f(tf.scalar(2))).item()).toBe(6);
    await f.dispose();
  });

  test("lets timers fire while it runs", async () => {
    const big = tf.variable(tf.ones([300, 300]));
    const f = compile((x: tf.Tensor) => tf.sum(tf.matMul(tf.mul(big, x) as tf.Tensor2D, big as tf.Tensor2D)));
    const seen = { isRunning: false, ticks: 0 };
    const timer = setInterval(() => (seen.ticks += seen.isRunning ? 1 : 0), 1);
    // A run may end before a timer is due, so there are many; were JavaScript to wait, none would ever fire.
    for (let run = 0; run < 5000 && seen.ticks === 0; run++) {
      seen.isRunning = true;
      await f(tf.scalar(1)).finally(() => (seen.isRunning = false));
    }
    clearInterval(timer);
    expect(seen.ticks).toBeGreaterThan(0);
    await f.dispose();
  });

  test("keeps the order of calls that are queued, also where some are of another signature or fail", async () => {
    const log = tf.variable(tf.zeros([6]));
    const count = tf.variable(tf.scalar(0));
    const f = compile((x: tf.Tensor, index: tf.Tensor) => {
      const picked = tf.gather(x, tf.cast(index, "int32") as tf.Tensor1D);
      const place = tf.reshape(tf.oneHot(tf.cast(tf.reshape(count, [1]), "int32") as tf.Tensor1D, 6), [6]);
      log.assign(tf.add(log, tf.mul(place, tf.sum(picked))) as tf.Tensor1D);
      count.assign(tf.add(count, 1) as tf.Scalar);
      return tf.sum(picked);
    });
    const at = (i: number) => ({ data: Int32Array.of(i), shape: [1] });
    const calls = [
      f(vector(1, 2), at(0)),
      f(vector(3, 4), at(1)),
      f(vector(5), at(0)),
      f(vector(6, 7), at(9)),
      f(vector(8, 9, 10), at(2)),
      f(vector(11, 12), at(1)),
    ];
    const results = await Promise.allSettled(calls);
    expect(results.map((result) => (result.status === "fulfilled" ? result.value.item() : "failed"))).toEqual([
      1,
      4,
      5,
      "failed",
      10,
      12,
    ]);
    expect([...log.dataSync()]).toEqual([1, 4, 5, 10, 12, 0]);
    await f.dispose();
  });
});

describe.runIf(engines.includes("native"))("random numbers in a compiled function", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  const draws = {
    "random.uniform": () => random.uniform([1000], { min: 2, max: 4 }),
    "random.normal": () => random.normal([1000], { mean: 3, deviation: 0.5 }),
    "random.truncatedNormal": () => random.truncatedNormal([1000], { mean: 3 }),
    "random.dropout": () => random.dropout(tf.fill([1000], 3), 0.25),
    "tf.dropout": () => tf.dropout(tf.fill([1000], 3), 0.25),
    "a dropout layer that was read from JSON": () =>
      tfl.layers
        .dropout({ rate: 0.25, noiseShape: null!, seed: null! })
        .apply(tf.fill([1000], 3), { training: true }) as tf.Tensor,
    "a dropout layer": () =>
      tfl.layers.dropout({ rate: 0.25 }).apply(tf.fill([1000], 3), { training: true }) as tf.Tensor,
    "a noise layer": () =>
      tfl.layers.gaussianNoise({ stddev: 0.5 }).apply(tf.fill([1000], 3), { training: true }) as tf.Tensor,
  };

  test.each(Object.entries(draws))("%s: new at each run, equal for equal seeds", async (_, fn) => {
    const [a, b, other] = [compile(fn, { seed: 7 }), compile(fn, { seed: 7 }), compile(fn, { seed: 8 })] as const;
    const [a1, a2] = [await a(), await a()];
    const [b1, b2] = [await b(), await b()];
    expect(b1.data).toEqual(a1.data);
    expect(b2.data).toEqual(a2.data);
    expect(a2.data).not.toEqual(a1.data);
    expect((await other()).data).not.toEqual(a1.data);
    expect((a1.data as Float32Array).reduce((x, y) => x + y) / 1000).toBeCloseTo(3, 0);
    const resumed = compile(fn, { seed: 7 });
    resumed.runs = 1;
    expect((await resumed()).data).toEqual(a2.data);
    await Promise.all([a, b, other, resumed].map((f) => f.dispose()));
  });

  test("two draws of one function differ", async () => {
    const f = compile(() => [random.uniform([8]), random.uniform([8])]);
    const [a, b] = await f();
    expect(a?.data).not.toEqual(b?.data);
    await f.dispose();
  });
});

function disposed(): tf.Tensor {
  const tensor = tf.scalar(1);
  tensor.dispose();
  return tensor;
}
