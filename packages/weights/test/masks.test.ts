import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importModel } from "../src/formats/keras/import-model.ts";
import { loadModel, saveModel } from "../src/index.ts";
import { AxesBatchNormalization } from "../src/layers/axes-batch-norm.ts";
import { modelLayers } from "../src/model/model-layers.ts";
import { Clipped } from "../src/layers/slicing.ts";

type Call = readonly [layer: string, output: number][];

/** A layer of a Keras 3 file. */
const row = (className: string, name: string, config: object, calls: Call = [], module = "keras.layers"): object => ({
  module,
  class_name: className,
  config: { name, ...config },
  registered_name: null,
  name,
  inbound_nodes:
    calls.length === 0
      ? []
      : [
          {
            args: [asArgument(calls.map(([layer, output]) => tensor(layer, output)))],
            kwargs: {},
          },
        ],
});
const asArgument = (list: object[]): unknown => (list.length === 1 ? list[0] : list);
const tensor = (layer: string, output: number): object => ({
  class_name: "__keras_tensor__",
  config: { shape: [null, 3, 1], dtype: "float32", keras_history: [layer, 0, output] },
});

const tokens = (name: string): object => row("InputLayer", name, { batch_shape: [null, 3], dtype: "int32" });
const embedding = (name: string, of: string): object =>
  row("Embedding", name, { input_dim: 3, output_dim: 1, mask_zero: true }, [[of, 0]]);
/** The sum of all steps that are not masked. */
const sum = (of: string): object =>
  row("SimpleRNN", "sum", { units: 1, activation: "linear", use_bias: false }, [[of, 0]]);

function functional(layers: object[], inputs: string[]): Record<string, unknown> {
  const history = (name: string): unknown => [name, 0, 0];
  return {
    class_name: "Functional",
    module: "keras",
    config: { name: "model", layers, input_layers: inputs.map(history), output_layers: [history("sum")] },
  };
}

/** The rows of an embedding, and a recurrent layer that adds: 0 -> 10, 1 -> 1, 2 -> 2. */
function filled(config: Record<string, unknown>): tfl.LayersModel {
  const model = importModel("test", config as never);
  for (const { layer } of modelLayers(model)) {
    if (layer.getClassName() === "Embedding") layer.setWeights([tf.tensor2d([[10], [1], [2]])]);
    if (layer.getClassName() === "SimpleRNN") layer.setWeights([tf.ones([1, 1]), tf.ones([1, 1])]);
  }
  return model;
}

const joined = functional(
  [
    tokens("a"),
    tokens("b"),
    embedding("e", "a"),
    embedding("f", "b"),
    row("Add", "join", {}, [
      ["e", 0],
      ["f", 0],
    ]),
    sum("join"),
  ],
  ["a", "b"],
);
const ended = functional(
  [tokens("a"), embedding("e", "a"), row("Relu", "relu", {}, [["e", 0]], "keras.src.ops.nn"), sum("relu")],
  ["a"],
);
/** A layer whose one call has arguments by name, too. */
const called = (layer: object, kwargs: object): object => {
  const { inbound_nodes: nodes } = layer as { inbound_nodes: { args: unknown }[] };
  return { ...layer, inbound_nodes: [{ args: nodes[0]!.args, kwargs }] };
};
const nested = (layers: object[], input: string, output: string, call: Call): object => ({
  ...row("Functional", "inner", {}, call, "keras"),
  config: { name: "inner", layers, input_layers: [[input, 0, 0]], output_layers: [[output, 0, 0]] },
});
const sequence = (name: string, of: number): object => row("InputLayer", name, { batch_shape: [null, 3, of] });
/** An embedding whose mask is stated to the nested model that adds, as Keras 3 does; the mask is of the steps that differ from `value`. */
const statedMask = (value: number): Record<string, unknown> => {
  const compared = { args: [tensor("a", 0), value], kwargs: {} };
  const mask = { ...row("NotEqual", "mask", {}, [], "keras.src.ops.numpy"), inbound_nodes: [compared] };
  const add = row("SimpleRNN", "add", { units: 1, activation: "linear", use_bias: false }, [["x", 0]]);
  const inner = nested([sequence("x", 1), add], "x", "add", [["e", 0]]);
  const last = { ...called(inner, { mask: tensor("mask", 0) }), name: "sum" };
  return functional([tokens("a"), embedding("e", "a"), mask, last], ["a"]);
};
/** An embedding's mask that begins within a nested model. */
const begun = functional(
  [tokens("a"), nested([tokens("t"), embedding("e", "t")], "t", "e", [["a", 0]]), sum("inner")],
  ["a"],
);
/** First states, with which Keras 3 leaves the mask unused. */
const started = functional(
  [
    tokens("a"),
    row("InputLayer", "s", { batch_shape: [null, 1] }),
    embedding("e", "a"),
    called(sum("e"), { initial_state: tensor("s", 0) }),
  ],
  ["a", "s"],
);
const twoRows = [
  [1, 0, 2],
  [1, 1, 0],
];

describe("masks of a model of Keras 3", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-masks-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    { name: "a merge keeps a step that one input has", config: joined, inputs: twoRows, wanted: 2 + 11 + 12 },
    { name: "an operation ends the mask", config: ended, inputs: twoRows.slice(0, 1), wanted: 1 + 10 + 2 },
    { name: "a mask of a nested model goes on after it", config: begun, inputs: [[1, 0, 2]], wanted: 1 + 2 },
    { name: "a nested model has the mask that its call states", config: statedMask(0), inputs: [[1, 0, 2]], wanted: 3 },
    { name: "first states leave the mask unused", config: started, inputs: [[1, 0, 2], [7]], wanted: 7 + 1 + 10 + 2 },
  ])("$name, also in a tfjs folder and a .keras file", async ({ name, config, inputs, wanted }) => {
    const given = inputs.map((steps) =>
      tf.tensor2d([steps], [1, steps.length], steps.length === 3 ? "int32" : "float32"),
    );
    const sumOf = (model: tfl.LayersModel): number =>
      (model.predict(given.length === 1 ? given[0]! : given) as tf.Tensor).dataSync()[0]!;
    const model = filled(config);
    expect(sumOf(model)).toBe(wanted);
    for (const format of ["tfjs", "keras"] as const) {
      const path = join(folder, `${name}.${format}`);
      await saveModel(model, path, { format });
      expect(sumOf(await loadModel(path)), format).toBe(wanted);
    }
  });

  it("another mask than the input's own is refused for a nested model", () => {
    expect(() => importModel("test", statedMask(1) as never)).toThrow(
      /layers\[3\].*is called with a mask of its own \(mask=\.\.\.\), which is read only where/,
    );
  });

  it("first states beside a mask are refused where the other Keras would use the mask", async () => {
    const path = join(folder, "states.h5");
    await expect(saveModel(filled(started), path, { keras: 2 })).rejects.toThrow(
      /it has first states and a mask, which it leaves unused here, and Keras 2 uses it/,
    );
  });

  it("of Keras 2 reach the layers of a model within TimeDistributed", () => {
    const old = (class_name: string, name: string, config: object, of?: string): object => ({
      class_name,
      name,
      config: { name, ...config },
      inbound_nodes: of === undefined ? [] : [[[of, 0, 0, {}]]],
    });
    const model = (name: string, layers: object[], [from, to]: readonly [string, string]): object => ({
      name,
      layers,
      input_layers: [[from, 0, 0]],
      output_layers: [[to, 0, 0]],
    });
    const rnn = { units: 1, activation: "linear", use_bias: false };
    const input = (name: string, sizes: number[]): object =>
      old("InputLayer", name, { batch_input_shape: [null, ...sizes], dtype: "float32" });
    const inner = [
      input("steps", [3, 1]),
      old("SimpleRNN", "doubles", rnn, "steps"),
      // In training, nearly nothing passes.
      old("Dropout", "drops", { rate: 0.999999 }, "doubles"),
    ];
    const layer = { class_name: "Functional", config: model("inner", inner, ["steps", "drops"]) };
    const layers = [
      input("frames", [2, 3, 1]),
      old("Masking", "masking", { mask_value: 10 }, "frames"),
      old("TimeDistributed", "timed", { layer }, "masking"),
      old("SimpleRNN", "last", rnn, "timed"),
    ];
    const made = importModel("test", {
      class_name: "Functional",
      config: model("net", layers, ["frames", "last"]),
    } as never);
    // A state is twice the one before and the input: a masked step does not double it.
    for (const weight of made.weights)
      weight.write(tf.fill(weight.shape as number[], /recurrent/.test(weight.name) ? 2 : 1));
    const x = tf.tensor([1, 10, 3, 10, 10, 10], [1, 2, 3, 1]);
    expect([...(made.predict(x) as tf.Tensor).dataSync()]).toEqual([2 * 1 + 3]);
    expect([...(made.apply(x, { training: true }) as tf.Tensor).dataSync()]).toEqual([0]);
    made.dispose();
    x.dispose();
  });

  const { conv1d, masking, simpleRNN } = tfl.layers;
  it.each([
    {
      layer: () => conv1d({ filters: 1, kernelSize: 1, name: "of_tfjs" }),
      problem: /"last".*mask of an earlier layer, which ends before it in Keras/,
    },
    {
      layer: () => new AxesBatchNormalization({ name: "norm", axis: [1, 2] }),
      problem: /"norm".*a mask, which ends at .*Reshape/,
    },
    {
      layer: () => new Clipped({ name: "clip", low: 0, high: 1 } as never),
      problem: /"clip".*a mask, which ends at .*Clip/,
    },
  ])("is refused where Keras would lose it: $problem", async ({ layer, problem }) => {
    const model = tfl.sequential({
      layers: [masking({ inputShape: [3, 1] }), layer(), simpleRNN({ units: 1, name: "last" })],
    });
    await expect(saveModel(model, join(folder, "refused.keras"))).rejects.toThrow(problem);
    // Weights alone have no masks.
    await saveModel(model, join(folder, "alone.weights.h5"));
  });
});
