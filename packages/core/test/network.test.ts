import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  chain,
  concat,
  conv,
  defineLayer,
  dense,
  flatten,
  modelMetadata,
  network,
  ofKind,
  ones,
  relu,
  rescale,
  withDefaults,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { useEngine } from "@convkit/engine";

const same = { padding: "same" } as const;
const layerNames = (model: tfl.LayersModel): string[] => model.layers.map(({ name }) => name);

beforeAll(async () => {
  await useEngine("wasm");
});

describe("network", () => {
  it("makes a model of one expression, with names as Keras gives them", () => {
    const model = network([8, 6, 3], chain([conv(4, 3, same), relu(), conv(2, 3, same), flatten(), dense(5)]));
    expect(layerNames(model)).toEqual(["input_layer", "conv2d", "activation", "conv2d_1", "flatten", "dense"]);
    expect(model.outputs[0]?.shape).toEqual([null, 5]);
    expect(model.countParams()).toBe(3 * 3 * 3 * 4 + 4 + 3 * 3 * 4 * 2 + 2 + 8 * 6 * 2 * 5 + 5);
    expect(modelMetadata(model)).toEqual({ images: { size: [8, 6] } });
  });

  it("counts names from the start in each network, so that a seed gives the same weights", () => {
    const make = (seed: number): number[] => {
      const model = network([4], chain([dense(3), dense(2)]), { seed });
      return [...(model.predict(tf.ones([1, 4])) as tf.Tensor).dataSync()];
    };
    expect(make(7)).toEqual(make(7));
    expect(make(8)).not.toEqual(make(7));
  });

  it("takes Keras' functional style, also with several inputs and outputs", () => {
    const model = network({ left: [4, 4, 1], right: [4, 4, 1] }, ({ left, right }) => {
      const shared = tfl.layers.conv2d({ name: "shared", filters: 2, kernelSize: 3, padding: "same" });
      const both = tfl.layers
        .concatenate({ name: "both" })
        .apply([shared.apply(left) as tfl.SymbolicTensor, shared.apply(right) as tfl.SymbolicTensor]);
      const y = conv(3, 1, same)(both as tfl.SymbolicTensor);
      return [dense(2)(flatten()(y)), dense(1)(flatten()(y), "score")];
    });
    expect(model.inputNames).toEqual(["left", "right"]);
    expect(model.outputs.map(({ shape }) => shape)).toEqual([
      [null, 2],
      [null, 1],
    ]);
    expect(layerNames(model)).toContain("flatten_1");
  });

  it("names the blocks of a list by their kind, and their layers below", () => {
    const unit = ofKind("unit", (x, name) => chain({ conv: conv(2, 3, same), relu: relu() })(x, name));
    const plain: Block = (x, name) => conv(2, 1, same)(x, `${name}.conv`);
    const blocks = Array.from({ length: 2 }, () => unit);
    const model = network([4, 4, 2], chain([...blocks, plain, add([conv(2, 3, same), conv(2, 1, same)])]));
    expect(layerNames(model)).toEqual([
      "input_layer",
      "unit.conv",
      "unit.relu",
      "unit_1.conv",
      "unit_1.relu",
      "block.conv",
      "add.conv2d",
      "add.conv2d_1",
      "add",
    ]);
    const named = network([4, 4, 2], chain({ stem: chain([conv(2, 3, same), concat([relu(), relu()])]) }));
    expect(layerNames(named)).toEqual([
      "input_layer",
      "stem.conv2d",
      "stem.concat.activation",
      "stem.concat.activation_1",
      "stem.concat",
    ]);
  });

  it.each<[unknown, unknown, unknown, RegExp]>([
    [[8, 8, 3], "conv", {}, /expected a block such as chain\(\[…\]\) or a function, got "conv"/],
    [[8, -8, 3], relu(), {}, /expected an input such as \[28, 28, 1\].*got \[8,-8,3\]/],
    [28, relu(), {}, /expected an input such as \[28, 28, 1\].*got 28/],
    [{}, relu(), {}, /expected an input such as/],
    [[8, 8, 3], () => 3, {}, /expected the body to return the output of a layer or a list of outputs, got 3/],
    [[8, 8, 3], relu(), { sed: 1 }, /seed/],
    [[8, 8, 3], relu(), { seed: 0.5 }, /expected seed to be a whole number, got 0.5/],
    [[8, 8, 3], relu(), { classes: ["a", "a"] }, /class/],
  ])("refuses %j", (input, body, options, message) => {
    expect(() => network(input as never, body as never, options as never)).toThrow(message);
  });
});

describe("withDefaults", () => {
  it("says padding and activation once; what is given by hand comes first", () => {
    const { conv: unit, maxPool } = withDefaults({ padding: "same", activation: "relu" });
    const model = network(
      [9, 7, 1],
      chain([unit(2, 3, { init: ones }), maxPool(2), unit(3, 3, { padding: "valid", activation: undefined })]),
    );
    const configs = model.layers.slice(1).map((each) => each.getConfig());
    expect(configs.map(({ padding }) => padding)).toEqual(["same", "same", "valid"]);
    expect(configs[1]).toMatchObject({ poolSize: [2, 2], strides: [2, 2] });
    expect(model.outputs[0]?.shape).toEqual([null, 3, 2, 3]);
    const y = model.layers[1]!.apply(tf.neg(tf.ones([1, 9, 7, 1]))) as tf.Tensor;
    expect(Math.max(...y.dataSync())).toBe(0); // ReLU of negative sums
  });
});

describe("defineLayer", () => {
  it("makes a layer of a function that models save and load by name", async () => {
    const scaled = defineLayer<{ by: number }>("ScaledForTest", { call: (x, { options }) => tf.mul(x, options.by) });
    const model = network([3], chain([scaled({ by: 2.5 }), rescale(1, 1)]));
    expect(layerNames(model)).toEqual(["input_layer", "scaled_for_test", "rescaling"]);
    const artifacts = await new Promise<tf.io.ModelArtifacts>((resolve) => {
      void model.save({
        save: async (each) => {
          resolve(each);
          return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
        },
      });
    });
    const again = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
    expect([...(again.predict(tf.tensor([[1, 2, -3]])) as tf.Tensor).dataSync()]).toEqual([3.5, 6, -6.5]);
  });

  it("gives the function its weights, trains them and knows the output's shape", () => {
    const project = defineLayer<{ units: number }, "kernel" | "count">("ProjectForTest", {
      outputShape: (shape, { units }) => [...shape.slice(0, -1), units],
      weights: (shape, { units }) => ({
        kernel: { shape: [shape.at(-1) as number, units], init: ones },
        count: { shape: [1], trainable: false },
      }),
      call: (x, { weights, training }) =>
        training ? tf.matMul(x, weights.kernel) : tf.mul(2, tf.matMul(x, weights.kernel)),
    });
    const model = network([3], project({ units: 2 }));
    expect(model.outputs[0]?.shape).toEqual([null, 2]);
    expect(model.trainableWeights.map(({ shape }) => shape)).toEqual([[3, 2]]);
    expect(model.weights.length).toBe(2);
    expect([...(model.predict(tf.tensor([[1, 2, 3]])) as tf.Tensor).dataSync()]).toEqual([12, 12]);
    const { grads } = tf.variableGrads(() =>
      tf.sum(model.apply(tf.tensor([[1, 2, 3]]), { training: true }) as tf.Tensor),
    );
    expect(Object.values(grads).map((each) => [...each.dataSync()])).toEqual([[1, 1, 2, 2, 3, 3]]);
  });

  it("refuses names that are taken, bad definitions and outputs of another shape", () => {
    expect(() => defineLayer("Conv2D", { call: (x) => x })).toThrow(/but Conv2D is taken by another layer/);
    expect(() => defineLayer("a b", { call: (x) => x })).toThrow(/expected a class name such as "Swish2", got "a b"/);
    expect(() => defineLayer("NoCallForTest", {} as never)).toThrow(
      /expected \{ call: \(x\) => … \}, a function of tensors/,
    );
    const wrong = defineLayer("WrongShapeForTest", { call: (x) => tf.sum(x, -1) });
    const model = network([3], wrong());
    expect(() => model.predict(tf.ones([1, 3]))).toThrow(/wrong_shape_for_test: expected .*\[null,3\].*got \[1\]/);
  });
});
