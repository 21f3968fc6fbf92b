import { chmodSync, existsSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeJson } from "@convkit/files";
import { onnxBytes } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import { choiceFile, chooseRuntime } from "../src/choose-runtime.ts";
import { predictor } from "../src/index.ts";
import { runtimeVersion } from "../src/runtimes/runtime.ts";
import { cache, input, ownSums, sums } from "./own-install.ts";

test("a remembered choice that was edited by hand is measured anew", async () => {
  const options = { precision: "float32" as const };
  const question = { file: onnxBytes(sums()), options, feeds: [input], own: ownSums, among: ["onnxruntime"] as const };
  const version = await runtimeVersion("onnxruntime");
  const file = await choiceFile(question, [version]);
  const good = { runtime: "onnxruntime", version, difference: 0 };
  const edited = [
    [],
    {},
    [null],
    [{ runtime: "onnxruntime" }],
    [{ ...good, runtime: "openvino" }],
    [{ ...good, version: "0.1.0" }],
    [{ ...good, reason: 5 }],
    [good, good],
  ];
  for (const each of edited) {
    await writeJson(file, each);
    const { session, runtime, trials } = await chooseRuntime(question);
    expect([runtime, trials.length]).toEqual(["onnxruntime", 1]);
    expect([...(await session!.run([input]))[0]!.data]).toEqual([6, 6]);
    await session!.dispose();
  }
});

describe.each(["openvino", "onnxruntime", "auto"] as const)("%s", (runtime) => {
  test("a wrong first call spoils neither the calls beside it nor the choice", async () => {
    const forward = predictor(sums(), { runtime });
    const wrong = { data: new Float32Array(4), shape: [1, 4] };
    const calls = [[wrong], [input], [input, input], [input]].map((inputs) => forward.predictAll(inputs));
    const found = await Promise.allSettled(calls);
    const texts = found.map((each) =>
      each.status === "rejected" ? (each.reason as Error).message : [...each.value[0]!.data],
    );
    expect(texts).toEqual([
      expect.stringMatching(/^predict: expected the shape anyx3 for the input \S+, got 1x4\.$/),
      [6, 6],
      expect.stringMatching(/^predict: expected 1 inputs \(\S+\), got 2\.$/),
      [6, 6],
    ]);
    expect(["openvino", "onnxruntime"]).toContain(forward.describe()!.runtime);
    const both = await Promise.all([forward.dispose(), forward.dispose()]);
    expect(both).toEqual([undefined, undefined]);
  });

  test("whole numbers are neither rounded nor wrapped", async () => {
    const numbers = tfl.input({ shape: [2], dtype: "int32", name: "numbers" });
    const layer = tfl.layers.embedding({ inputDim: 5, outputDim: 1, embeddingsInitializer: "ones" });
    const model = tfl.model({ inputs: numbers, outputs: layer.apply(numbers) as tfl.SymbolicTensor });
    const forward = predictor(model, { runtime });
    expect([...(await forward.predict({ data: Float32Array.of(1, 4), shape: [1, 2] })).data]).toEqual([1, 1]);
    for (const value of [1.5, Number.NaN, 2 ** 31])
      await expect(forward.predict({ data: Float32Array.of(1, value), shape: [1, 2] })).rejects.toThrow(
        `for the input numbers, which holds int32, got ${value}.`,
      );
    await forward.dispose();
  });
});

test("a compiled network that was kept gives the same numbers, is not taken for another file, and is made anew when it is cut off", async () => {
  const kept = path.join(cache, "predict", "openvino");
  const list = () => (existsSync(kept) ? readdirSync(kept) : []);
  const file = path.join(cache, "sums.onnx");
  const seen = new Date(1_700_000_000_000);
  const write = (factor: number): void => {
    const model = sums();
    model.layers[0]!.setWeights([tf.fill([3, 2], factor), tf.zeros([2])]);
    writeFileSync(file, onnxBytes(model));
    utimesSync(file, seen, seen);
  };
  const predicted = async (): Promise<number[]> => {
    const forward = predictor(file, { runtime: "openvino" });
    const { data } = await forward.predict(input);
    await forward.dispose();
    return [...data];
  };
  write(1);
  expect([await predicted(), list().length]).toEqual([[6, 6], 1]);
  expect([await predicted(), list().length]).toEqual([[6, 6], 1]);

  // Another content of the same size and time.
  write(2);
  expect([await predicted(), list().length]).toEqual([[12, 12], 2]);

  for (const name of list()) {
    const [network] = readdirSync(path.join(kept, name)).filter((each) => each.endsWith(".blob"));
    const blob = path.join(kept, name, network!);
    chmodSync(blob, 0o600);
    truncateSync(blob, 100);
  }
  expect(await predicted()).toEqual([12, 12]);
  const sizes = list().map((name) =>
    Math.max(...readdirSync(path.join(kept, name)).map((each) => statSync(path.join(kept, name, each)).size)),
  );
  expect(sizes.filter((size) => size > 100)).toHaveLength(1);

  // A place that cannot be written.
  rmSync(kept, { recursive: true });
  writeFileSync(kept, "a file");
  expect(await predicted()).toEqual([12, 12]);
});

test("a large network that is no file is kept by its content alone, and describe() tells that", async () => {
  const kept = path.join(cache, "predict", "openvino");
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 512, inputShape: [512], useBias: false })] });
  const feed = { data: new Float32Array(512).fill(0.5), shape: [1, 512] };
  const predicted = async (factor: number): Promise<[number, boolean | undefined]> => {
    model.layers[0]!.setWeights([tf.fill([512, 512], factor)]);
    const forward = predictor(model, { runtime: "openvino" });
    const { data } = await forward.predict(feed);
    const { fromCache } = forward.describe()!;
    await forward.dispose();
    return [data[511]!, fromCache];
  };
  expect(await predicted(1)).toEqual([256, false]);
  expect(await predicted(1)).toEqual([256, true]);
  expect(await predicted(2)).toEqual([512, false]);
  // One network a folder: OpenVINO found the first one, too, rather than to write it again.
  const networks = readdirSync(kept).map((name) =>
    readdirSync(path.join(kept, name)).filter((each) => /blob/.test(each)),
  );
  expect(networks.map((each) => each.length)).toEqual([1, 1]);
});
