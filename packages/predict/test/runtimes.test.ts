import { useEngine } from "@convkit/engine";
import { installOpenvino } from "@convkit/engine/openvino";
import { engines } from "@convkit/testing";
import { onnxBytes } from "@convkit/weights";
import { encodeOnnx, type OnnxMessage } from "@convkit/weights/onnx";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { predictor, type OnnxRuntimeName } from "../src/index.ts";
import { openablePredictor } from "../src/internal.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const runtimes: readonly OnnxRuntimeName[] = ["openvino", "onnxruntime"];
const folder = mkdtempSync(join(tmpdir(), "convkit-predict-"));
let net: tfl.LayersModel;

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  await installOpenvino();
  net = oddNet();
});
afterAll(() => {
  net.dispose();
  rmSync(folder, { recursive: true });
});

/** Strides, paddings, batch norm, a branch and a depthwise convolution, on an input that is not square. */
function oddNet(): tfl.LayersModel {
  const { conv2d, batchNormalization, depthwiseConv2d, maxPooling2d, add, globalAveragePooling2d, dense } = tfl.layers;
  const random = tfl.initializers.randomNormal({ stddev: 0.3, seed: 4 });
  const input = tfl.input({ shape: [9, 14, 3] });
  const start = conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: "same", kernelInitializer: random });
  const x = batchNormalization({ movingVarianceInitializer: "ones", gammaInitializer: random }).apply(
    start.apply(input),
  ) as tfl.SymbolicTensor;
  const deep = depthwiseConv2d({ kernelSize: 3, padding: "same", activation: "relu", depthwiseInitializer: random });
  const sum = add().apply([x, deep.apply(x) as tfl.SymbolicTensor]);
  const pooled = maxPooling2d({ poolSize: [2, 3], strides: [1, 2] }).apply(sum);
  const output = dense({ units: 5, kernelInitializer: random }).apply(globalAveragePooling2d({}).apply(pooled));
  return tfl.model({ inputs: input, outputs: output as tfl.SymbolicTensor });
}

/** Pixels from 0 to 255, other ones in each image. */
function pixels(batch: number): { readonly data: Uint8Array; readonly shape: number[] } {
  const data = Uint8Array.from({ length: batch * 9 * 14 * 3 }, (_, i) => (i * 131 + (i >> 5) * 17) % 256);
  return { data, shape: [batch, 9, 14, 3] };
}

const preprocessing = { scale: 1 / 255, order: "bgr", mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] } as const;

/** The model's own numbers, with the preprocessing worked out by hand. */
function expected(batch: number): Float32Array {
  const { data, shape } = pixels(batch);
  const prepared = Float32Array.from(data, (_, i) => {
    const channel = i % 3;
    return (data[i - channel + 2 - channel]! / 255 - preprocessing.mean[channel]!) / preprocessing.std[channel]!;
  });
  return tf.tidy(() => (net.predict(tf.tensor(prepared, shape)) as tf.Tensor).dataSync<"float32">().slice());
}

describe.each(runtimes)("%s", (runtime) => {
  test("gives the model's own numbers at any batch size, several calls at once", async () => {
    const forward = predictor(net, { runtime, preprocessing });
    const batches = [3, 1, 8, 1, 3];
    const found = await Promise.all(batches.map((batch) => forward.predict(pixels(batch))));
    for (const [index, { data, shape }] of found.entries()) {
      expect(shape).toEqual([batches[index], 5]);
      expected(batches[index]!).forEach((value, i) => expect(data[i]).toBeCloseTo(value, 4));
    }
    expect(forward.describe()).toMatchObject({ runtime, precision: "float32" });
    expect(forward.describe()!.trials[0]!.difference).toBeLessThan(1e-4);
    await forward.dispose();
    await expect(forward.predict(pixels(1))).rejects.toThrow("disposed of");
  });

  test("a second copy of this package computes in the same process", async () => {
    vi.resetModules();
    const other = await import("../src/index.ts");
    expect(other.predictor).not.toBe(predictor);
    const forward = other.predictor(onnxBytes(net), { runtime, preprocessing });
    const { data } = await forward.predict(pixels(2));
    expected(2).forEach((value, i) => expect(data[i]).toBeCloseTo(value, 4));
    await forward.dispose();
  });

  test("runs an ONNX file, from its path, from its bytes and from a Blob of them", async () => {
    const bytes = onnxBytes(net) as Uint8Array<ArrayBuffer>;
    writeFileSync(join(folder, "net.onnx"), bytes);
    for (const source of [join(folder, "net.onnx"), bytes, new Blob([bytes])]) {
      // As a server opens it, once.
      const spins = source === bytes;
      const { predictor: forward } = openablePredictor(
        "serve",
        source,
        { runtime, preprocessing, threads: 2 },
        { spins },
      );
      const { data } = await forward.predict(pixels(2));
      expected(2).forEach((value, i) => expect(data[i]).toBeCloseTo(value, 4));
      await forward.dispose();
    }
  });

  test("copies the weights at the first prediction", async () => {
    const own = oddNet();
    const forward = predictor(own, { runtime });
    const before = await forward.predict(pixels(1));
    own.layers.at(-1)!.setWeights([tf.zeros([6, 5]), tf.ones([5])]);
    expect((await forward.predict(pixels(1))).data).toEqual(before.data);
    await forward.dispose();
    own.dispose();
  });

  test("refuses a damaged file and a wrong shape in one sentence", async () => {
    const damaged = predictor(onnxBytes(net).slice(0, 400), { runtime });
    await expect(damaged.predict(pixels(1))).rejects.toThrow(/^The runtime \w+ cannot predict with this model: /);
    const forward = predictor(net, { runtime });
    await forward.predict(pixels(1));
    await expect(forward.predict({ data: new Float32Array(27), shape: [1, 3, 3, 3] })).rejects.toThrow(
      /expected the shape anyx9x14x3 for the input \S+, got 1x3x3x3/,
    );
    await forward.dispose();
  });
});

test("a small network that is called often keeps its numbers and lets timers tick", async () => {
  const forward = predictor(net, { runtime: "openvino", preprocessing });
  const want = expected(1);
  await forward.predict(pixels(1));
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  // Long enough that the network is compiled anew for this shape, and taken.
  for (let call = 0; call < 3000; call++) {
    const { data, shape } = await forward.predict(pixels(1));
    if (call % 100 > 0) continue;
    expect(shape).toEqual([1, 5]);
    want.forEach((value, i) => expect(data[i]).toBeCloseTo(value, 4));
  }
  clearInterval(timer);
  // All calls may be answered at once; none of them may hold the timers back for long.
  expect(ticks).toBeGreaterThan(5);
  const both = await Promise.all([forward.predict(pixels(1)), forward.predict(pixels(4)), forward.predict(pixels(1))]);
  expect(both.map(({ shape }) => shape[0])).toEqual([1, 4, 1]);
  want.forEach((value, i) => expect(both[2].data[i]).toBeCloseTo(value, 4));
  const last = forward.predict(pixels(1));
  await forward.dispose();
  expect((await last).shape).toEqual([1, 5]);
});

test.each(runtimes)(
  "%s gives outputs whose shapes depend on the values, whatever call came before",
  async (runtime) => {
    const info = (name: string, dims: readonly string[]): OnnxMessage => ({
      name,
      type: { tensor_type: { elem_type: 1, shape: { dim: dims.map((dim_param) => ({ dim_param })) } } },
    });
    const bytes = encodeOnnx("ModelProto", {
      ir_version: 8,
      opset_import: [{ version: 13 }],
      graph: {
        name: "places",
        node: [
          { op_type: "NonZero", input: ["x"], output: ["places"] },
          { op_type: "Cast", input: ["places"], output: ["y"], attribute: [{ name: "to", type: 2, i: 1 }] },
        ],
        input: [info("x", ["n", "w"])],
        output: [info("y", ["rank", "places"])],
      },
    });
    const forward = predictor(bytes, { runtime });
    // Long enough that quick calls, and a network compiled for the shape, are taken.
    for (let call = 0; call < 300; call++) {
      const row = [0, 1, 2, 3].map((place) => ((call * 5) >> place) & 1);
      const places = row.flatMap((value, place) => (value === 0 ? [] : [place]));
      const { data, shape } = await forward.predict({ data: Float32Array.from(row), shape: [1, 4] });
      expect([[...data], shape]).toEqual([
        [...places.map(() => 0), ...places],
        [2, places.length],
      ]);
    }
    await forward.dispose();
  },
);

test("auto takes a runtime by measurement, remembers it, and says what it found", async () => {
  const first = predictor(net, { runtime: "auto", preprocessing });
  const { data } = await first.predict(pixels(4));
  expected(4).forEach((value, i) => expect(data[i]).toBeCloseTo(value, 4));
  const { runtime, trials } = first.describe()!;
  expect(trials.map((trial) => trial.runtime)).toEqual(runtimes);
  const times = Object.fromEntries(trials.map((trial) => [trial.runtime, trial.ms!]));
  expect(times[runtime]).toBe(Math.min(...Object.values(times)));
  await first.dispose();
  const second = predictor(net, { runtime: "auto", preprocessing });
  await second.predict(pixels(4));
  // The same times to the last digit: they were not measured again.
  expect(second.describe()!.trials).toEqual(trials);
  await second.dispose();
});

test("the times of a file's runtimes are remembered, too, and count for no comparison", async () => {
  const file = join(folder, "timed.onnx");
  writeFileSync(file, onnxBytes(net));
  const trials = async (source: string | tfl.LayersModel) => {
    const forward = predictor(source, { runtime: "auto", preprocessing });
    await forward.predict(pixels(3));
    await forward.dispose();
    return forward.describe()!.trials;
  };
  const first = await trials(file);
  for (const { ms, difference } of first) expect([typeof ms, difference]).toEqual(["number", undefined]);
  // The same times to the last digit: they were not measured again.
  expect(await trials(file)).toEqual(first);
  for (const { difference } of await trials(net)) expect(difference).toBeLessThan(1e-3);
});

test("a runtime that does not give the model's own numbers is refused", async () => {
  const { chooseRuntime } = await import("../src/choose-runtime.ts");
  const feeds = [{ data: Float32Array.from(pixels(1).data), shape: [1, 9, 14, 3] }];
  const own = async (drawn: readonly { readonly shape: readonly number[] }[]) => [
    { data: new Float32Array(drawn[0]!.shape[0]! * 5).fill(1), shape: [drawn[0]!.shape[0]!, 5] },
  ];
  const question = { file: onnxBytes(net), options: { precision: "float32" as const }, feeds, own };
  const { session, trials } = await chooseRuntime(question);
  expect(session).toBeUndefined();
  for (const { reason } of trials) expect(reason).toMatch(/its outputs differ from the model's own by/);
});

/** A layer that ONNX has no operator for. */
class Odd extends tfl.layers.Layer {
  static className = "OddForPredict";
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul([inputs].flat()[0]!, 2);
  }
  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return shape;
  }
}

test("auto goes on with the engine where ONNX cannot hold the model, and tells what it does not do", async () => {
  const input = tfl.input({ shape: [3] });
  const model = tfl.model({ inputs: input, outputs: new Odd().apply(input) as tfl.SymbolicTensor });
  const forward = predictor(model, { runtime: "auto", threads: 2 });
  const { data } = await forward.predict({ data: Float32Array.of(1, 2, 3), shape: [1, 3] });
  expect([...data]).toEqual([2, 4, 6]);
  const { trials, notes, runtime } = forward.describe()!;
  for (const { reason } of trials) expect(reason).toMatch(/cannot be written as ONNX: .*OddForPredict/);
  // The engine has two threads, or others on another machine; op by op it says so in any case.
  expect(notes).toEqual(
    runtime === "tensorflow" && (await useEngine()).threads === 2
      ? []
      : [expect.stringMatching(/with the engine's threads, not with 2/)],
  );
  await forward.dispose();
  await expect(predictor(model, { runtime: "openvino" }).ready()).rejects.toThrow("cannot be written as ONNX");
});

test("another backend of tfjs is not called wasm", async () => {
  const name = tf.getBackend();
  const backend = tf.backend();
  tf.registerBackend("plain", () => backend);
  await tf.setBackend("plain");
  try {
    await expect(predictor(net, { runtime: "wasm" }).ready()).rejects.toThrow(
      "The runtime wasm was asked for, but this process computes with tfjs' backend plain",
    );
  } finally {
    await tf.setBackend(name);
  }
});

test("an engine that is not in use is refused", async () => {
  const other = tf.getBackend() === "tensorflow" ? "wasm" : "tensorflow";
  await expect(predictor(net, { runtime: other }).predict(pixels(1))).rejects.toThrow(
    `The runtime ${other} was asked for, but this process computes with`,
  );
});

test("what would be ignored is refused", async () => {
  const both = predictor(net, { runtime: "openvino", execution: { precision: "bfloat16" } });
  await expect(both.predict(pixels(1))).rejects.toThrow("expected no execution with the runtime openvino");
  const mistyped = predictor(net, { runtime: "openvino", preprocessing: { scael: 1 / 255 } as object });
  await expect(mistyped.predict(pixels(1))).rejects.toThrow('got "scael". Did you mean "scale"?');
  const eager = predictor(net, { precision: "bfloat16", execution: { eager: true } });
  await expect(eager.predict(pixels(1))).rejects.toThrow("Op by op");
  const engine = await useEngine();
  const runtime = engine.name === "wasm" ? "wasm" : "tensorflow";
  const more = predictor(net, { runtime, threads: engine.threads + 1 });
  await expect(more.predict(pixels(1))).rejects.toThrow(`with the engine's threads, not with ${engine.threads + 1}`);
  const threaded = predictor(net, { threads: 2, execution: { eager: true } });
  await expect(threaded.predict(pixels(1))).rejects.toThrow("with the engine's threads, not with 2");
  const rounded = predictor(net, { runtime: "onnxruntime", precision: "bfloat16" });
  await expect(rounded.predict(pixels(1))).rejects.toThrow("ONNX Runtime computes in float32");
});

test("preprocessing on plain values has the bits of preprocessing in the graph", async () => {
  const { preprocess } = await import("@convkit/core");
  const { preprocessValues } = await import("@convkit/core/plain");
  const { data, shape } = pixels(2);
  const each = [
    preprocessing,
    { scale: 1 / 127.5, mean: [1] },
    { order: "bgr", mean: [103.939, 116.779, 123.68] },
  ] as const;
  for (const one of each) {
    const inGraph = tf.tidy(() =>
      preprocess(tf.tensor4d(data, shape as [number, number, number, number]), one).dataSync(),
    );
    expect(preprocessValues(data, 3, one)).toEqual(inGraph);
  }
  expect(() => preprocessValues(data, 1, preprocessing)).toThrow("expected images of 3 channels, as mean has, got 1");
});

describe.each(runtimes)("%s", (runtime) => {
  test("opens a file whose weights stand in another file beside it", async () => {
    const rows = 3;
    const weights = Float32Array.from({ length: rows * 2 }, (_, i) => i + 1);
    writeFileSync(join(folder, "weights.bin"), weights);
    const place = { location: "weights.bin", offset: "0", length: String(weights.byteLength) };
    const info = (name: string, size: number): OnnxMessage => ({
      name,
      type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_param: "n" }, { dim_value: size }] } } },
    });
    const file = join(folder, "apart.onnx");
    writeFileSync(
      file,
      encodeOnnx("ModelProto", {
        ir_version: 8,
        opset_import: [{ version: 13 }],
        graph: {
          name: "apart",
          node: [{ op_type: "MatMul", input: ["x", "w"], output: ["y"] }],
          input: [info("x", rows)],
          output: [info("y", 2)],
          initializer: [
            {
              name: "w",
              dims: [rows, 2],
              data_type: 1,
              data_location: 1,
              external_data: Object.entries(place).map(([key, value]) => ({ key, value })),
            },
          ],
        },
      }),
    );
    const predicted = async (): Promise<number[]> => {
      const forward = predictor(file, { runtime });
      const { data } = await forward.predict({ data: Float32Array.of(1, 2, 3), shape: [1, rows] });
      await forward.dispose();
      return [...data];
    };
    // [1, 2, 3] times [[1, 2], [3, 4], [5, 6]].
    expect(await predicted()).toEqual([22, 28]);
    writeFileSync(join(folder, "weights.bin"), weights.map((value) => 2 * value)); // prettier-ignore
    expect(await predicted()).toEqual([44, 56]);
  });

  test("gives the memory of a model back", async () => {
    // 17 MB of weights: were a copy kept each time, four turns would keep 68 MB.
    const input = tfl.input({ shape: [1, 1, 2048] });
    const body = tfl.layers.dense({ units: 2048, kernelInitializer: "ones" });
    const wide = tfl.model({ inputs: input, outputs: body.apply(input) as tfl.SymbolicTensor });
    const bytes = onnxBytes(wide);
    wide.dispose();
    const turn = async () => {
      const forward = predictor(bytes, { runtime });
      const { data } = await forward.predict({ data: new Float32Array(2048).fill(0.5), shape: [1, 1, 1, 2048] });
      expect(data[7]).toBe(1024);
      await forward.dispose();
    };
    const resident = async (turns: number): Promise<number> => {
      const sizes: number[] = [];
      for (let count = 0; count < turns; count++) {
        await turn();
        collect();
        sizes.push(process.memoryUsage().rss);
      }
      // Threads that ended give their pages back a little later.
      return Math.min(...sizes.slice(-4));
    };
    const before = await resident(2);
    expect((await resident(6)) - before).toBeLessThan(50e6);
  });
});

test.runIf(process.platform === "linux")("ONNX Runtime keeps and sends no events about its use", async () => {
  const forward = predictor(onnxBytes(net), { runtime: "onnxruntime" });
  await forward.ready();
  // Its events wait in a data base, of which the process maps a part.
  expect(readFileSync("/proc/self/maps", "utf8")).toMatch(/libonnxruntime/);
  expect(readFileSync("/proc/self/maps", "utf8")).not.toMatch(/onnxruntime\.db/);
  await forward.dispose();
});
