import { useEngine } from "@convkit/engine";
import { ShuffleChannels, SliceChannels } from "@convkit/core";
import { peerPython, runPeer } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, loadWeights, saveModel, WeightsError } from "../src/index.ts";

const image = [3, 4, 2] as const;

/** Weights from 0.1 on in steps, so that no two are alike. */
function number(model: tfl.LayersModel): tfl.LayersModel {
  for (const [index, variable] of model.weights.entries()) {
    const size = variable.shape.reduce<number>((all, side) => all * side!, 1);
    const values = Float32Array.from({ length: size }, (_, i) => 0.5 + Math.sin(7 * index + i) / 4);
    variable.write(tf.tensor(values, variable.shape as number[]));
  }
  return model;
}

const inputOf = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((all, side) => all * side, 2) }, (_, i) => Math.cos(3 * i));

function answers(model: tfl.LayersModel, shapes: readonly (readonly number[])[]): number[][] {
  const inputs = shapes.map((shape) => tf.tensor(inputOf(shape), [2, ...shape]));
  return [model.predict(inputs.length === 1 ? inputs[0]! : inputs)].flat().map((y) => [...y.dataSync()]);
}

function base(): tfl.LayersModel {
  const x = tfl.input({ shape: [...image] });
  const y = tfl.layers.conv2d({ filters: 2, kernelSize: 2, name: "conv" }).apply(x) as tfl.SymbolicTensor;
  return tfl.model({ inputs: x, outputs: y, name: "base" });
}

describe.skipIf(peerPython === undefined)("files that others read", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-written-"));
  const at = (name: string): string => join(folder, name);
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What Keras answers for each of the files, for inputs of those shapes. */
  const inKeras = (files: readonly string[], shapes: readonly (readonly number[])[]): number[][][] =>
    JSON.parse(
      runPeer(
        `import sys, json, keras, numpy as np
xs = [np.asarray(x, "float32").reshape((2, *s)) for x, s in json.loads(sys.argv[1])]
def answers(file):
    ys = keras.models.load_model(file, compile=False)(xs[0] if len(xs) == 1 else xs, training=False)
    return [np.asarray(y).reshape(-1).tolist() for y in (ys if isinstance(ys, (list, tuple)) else [ys])]
print(json.dumps([answers(file) for file in sys.argv[2:]]))`,
        [JSON.stringify(shapes.map((shape) => [[...inputOf(shape)], shape])), ...files],
      )
        .trim()
        .split("\n")
        .at(-1)!,
    ) as number[][][];

  const inTorch = (module: string, file: string, shape: readonly number[]): number[] =>
    JSON.parse(
      runPeer(
        `import sys, json, torch
from torch import nn
from safetensors.torch import load_file
net = ${module}
net.load_state_dict(load_file(sys.argv[1]), strict=True)
x = torch.tensor(json.loads(sys.argv[2])).reshape(2, ${shape.join(", ")}).movedim(-1, 1)
print(json.dumps(net.eval()(x).detach().reshape(-1).tolist()))`,
        [file, JSON.stringify([...inputOf(shape)])],
      )
        .trim()
        .split("\n")
        .at(-1)!,
    ) as number[];

  const close = (a: readonly number[], b: readonly number[]): void => {
    expect(a.length).toBe(b.length);
    for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i]!, 4);
  };

  it("a model called twice whose calls are outputs", async () => {
    const inner = base();
    const [a, b] = [tfl.input({ shape: [...image] }), tfl.input({ shape: [...image] })];
    const outputs = [inner.apply(a), inner.apply(b)] as tfl.SymbolicTensor[];
    const model = number(tfl.model({ inputs: [a, b], outputs: [outputs[1]!, outputs[0]!] }));
    const scaled = [image, image];
    const files = ["outputs.keras", "outputs.h5"].map(at);
    for (const file of files) await saveModel(model, file);
    // tfjs itself cannot answer with two outputs of one layer: the two calls by hand are what is meant.
    const x = tf.tensor(inputOf(image), [2, ...image]);
    const wanted = [...(inner.predict(x) as tf.Tensor).dataSync()];
    const own = await Promise.all(files.map(async (file) => answers(await loadModel(file), scaled)));
    for (const found of [...inKeras(files, scaled), ...own]) for (const output of found) close(output, wanted);
  });

  it("some channels of a map, and channels in another order, of known and unknown size", async () => {
    const of = (size: number | null): tfl.LayersModel => {
      const x = tfl.input({ shape: [size, size === null ? null : size + 1, 6] });
      const some = new SliceChannels({ name: "some", start: 1, count: 4 }).apply(x) as tfl.SymbolicTensor;
      const y = new ShuffleChannels({ name: "shuffled", groups: 2 }).apply(some) as tfl.SymbolicTensor;
      return tfl.model({ inputs: x, outputs: y });
    };
    const shape = [3, 4, 6];
    // Of channels 1 to 4 first those of the first half, each with one of the second after it.
    const x = inputOf(shape);
    const wanted = Array.from({ length: 2 * 3 * 4 }, (_, pixel) => [1, 3, 2, 4].map((c) => x[6 * pixel + c]!)).flat();
    const files: string[] = [];
    for (const [size, ending] of [
      [3, "keras"],
      [3, "h5"],
      [null, "keras"],
    ] as const) {
      const file = at(`channels-${size}.${ending}`);
      await saveModel(of(size), file);
      close(answers(await loadModel(file), [shape])[0]!, wanted);
      files.push(file);
    }
    for (const found of inKeras(files, [shape])) close(found[0]!, wanted);
  });

  it("layers of one name in models within models, and first states, are read by Keras", async () => {
    const { add, dense, gru, lstm } = tfl.layers;
    const around = (before?: tfl.LayersModel): tfl.LayersModel => {
      const start = tfl.input({ shape: [3] });
      const taken = (before?.apply(start) ?? start) as tfl.SymbolicTensor;
      const end = dense({ units: 3, name: "dense", activation: "tanh" }).apply(taken) as tfl.SymbolicTensor;
      return tfl.model({ inputs: start, outputs: end, name: "same" });
    };
    const [x, h, c] = [tfl.input({ shape: [4, 3] }), tfl.input({ shape: [3] }), tfl.input({ shape: [3] })];
    const state = around(around(around())).apply(h) as tfl.SymbolicTensor;
    const first = lstm({ units: 3, recurrentActivation: "sigmoid", returnSequences: true, returnState: true });
    const [y, a, b] = first.apply(x, { initialState: [state, c] }) as tfl.SymbolicTensor[];
    const last = gru({ units: 3, recurrentActivation: "sigmoid" }).apply(y!, {
      initialState: [add().apply([a!, b!]) as tfl.SymbolicTensor],
    }) as tfl.SymbolicTensor;
    const model = number(tfl.model({ inputs: [x, h, c], outputs: last }));
    const shapes = [[4, 3], [3], [3]];
    const wanted = answers(model, shapes);
    const files = ["within.keras", "within.h5"].map(at);
    for (const file of files) await saveModel(model, file);
    const own = await Promise.all(files.map(async (file) => answers(await loadModel(file), shapes)));
    for (const found of [...inKeras(files, shapes), ...own]) close(found[0]!, wanted[0]!);
    await saveModel(model, at("for-keras2.h5"), { keras: 2 });
    close(answers(await loadModel(at("for-keras2.h5")), shapes)[0]!, wanted[0]!);
  });

  it("slashes.h5: names with a slash", async () => {
    const model = number(
      tfl.sequential({
        layers: [
          tfl.layers.conv2d({ inputShape: [...image], filters: 2, kernelSize: 2, name: "conv1/conv" }),
          tfl.layers.conv2d({ filters: 3, kernelSize: 1, name: "conv1" }),
        ],
      }),
    );
    await saveModel(model, at("slashes.h5"));
    const [wanted] = answers(model, [image]);
    close(answers(await loadModel(at("slashes.h5")), [image])[0]!, wanted!);
    close(
      JSON.parse(
        runPeer(
          `import sys, json, h5py
f = h5py.File(sys.argv[1])["model_weights"]
print(json.dumps([f[n.decode() if isinstance(n, bytes) else n].attrs["weight_names"].size for n in f.attrs["layer_names"]]))`,
          [at("slashes.h5")],
        ),
      ) as number[],
      [0, 2, 2],
    );
  });

  it.each([
    ["nn.Sequential(nn.Flatten(), nn.BatchNorm1d(24, eps=1e-3), nn.Linear(24, 3))", "norm"],
    ["nn.Sequential(nn.Flatten(), nn.PReLU(24), nn.Linear(24, 3))", "slopes"],
  ] as const)("%s takes what was written, in PyTorch's order", async (module, kind) => {
    const middle = kind === "norm" ? tfl.layers.batchNormalization({ name: "b1" }) : tfl.layers.prelu({ name: "b1" });
    const model = number(
      tfl.sequential({
        layers: [
          tfl.layers.flatten({ inputShape: [...image], name: "b0" }),
          middle,
          tfl.layers.dense({ units: 3, name: "b2" }),
        ],
      }),
    );
    const file = at(`${kind}.safetensors`);
    await saveModel(model, file);
    const [wanted] = answers(model, [image]);
    close(inTorch(module, file, image), wanted!);
    for (const variable of model.weights) variable.write(tf.zeros(variable.shape as number[]));
    await loadWeights(model, file);
    close(answers(model, [image])[0]!, wanted!);
  });

  it("nn.Conv1d takes what was written", async () => {
    const conv = tfl.layers.conv1d({ inputShape: [6, 2], filters: 3, kernelSize: 2, name: "b0" });
    const model = number(
      tfl.sequential({ layers: [conv, tfl.layers.flatten(), tfl.layers.dense({ units: 2, name: "b2" })] }),
    );
    await saveModel(model, at("conv1d.safetensors"));
    const module = "nn.Sequential(nn.Conv1d(2, 3, 2), nn.Flatten(), nn.Linear(15, 2))";
    close(inTorch(module, at("conv1d.safetensors"), [6, 2]), answers(model, [[6, 2]])[0]!);
  });

  it("what PyTorch's order cannot be told of is refused, and nothing is written or changed", async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.reshape({ inputShape: [...image], targetShape: [6, 4] }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 2, name: "last" }),
      ],
    });
    await expect(saveModel(model, at("no.safetensors"))).rejects.toThrow(WeightsError);
    await expect(saveModel(model, at("no.safetensors"))).rejects.toThrow(
      /last\/kernel: PyTorch's maps have their channels first/,
    );
  });

  it("two layers of one name are two tensors, and come back from tfjs and safetensors", async () => {
    const inner = tfl.sequential({
      name: "inner",
      layers: [tfl.layers.dense({ units: 6, inputShape: [6], name: "dense" })],
    });
    const x = tfl.input({ shape: [6] });
    const y = tfl.layers.dense({ units: 6, name: "dense" }).apply(inner.apply(x)) as tfl.SymbolicTensor;
    const model = number(tfl.model({ inputs: x, outputs: y }));
    const [wanted] = answers(model, [[6]]);
    await saveModel(model, at("twins"), { format: "tfjs" });
    close(answers(await loadModel(at("twins")), [[6]])[0]!, wanted!);
    await saveModel(model, at("twins.safetensors"));
    for (const variable of model.weights) variable.write(tf.zeros(variable.shape as number[]));
    await loadWeights(model, at("twins.safetensors"));
    close(answers(model, [[6]])[0]!, wanted!);
  });
});
