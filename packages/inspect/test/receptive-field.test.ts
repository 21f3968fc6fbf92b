import {
  add,
  avgPool,
  batchNorm,
  chain,
  conv,
  identity,
  maxPool,
  network,
  ones,
  receptiveFields,
  relu,
  stackedReceptiveField,
  stage,
  zeroPad,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { bottleneckBlock } from "@convkit/blocks";
import { useEngine } from "@convkit/engine";
import { measuredReceptiveField } from "@convkit/inspect";
import { createModel } from "@convkit/models";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

const positive = { init: ones } as const;

describe.each(engines)("measured receptive field (%s)", (engine) => {
  beforeAll(() => useEngine(engine).then(() => undefined));

  const cases = {
    "stride 2 and dilation, valid": chain([
      conv(2, 3, { padding: "valid", ...positive }),
      conv(2, 3, { padding: "valid", dilation: 2, ...positive }),
      conv(2, 3, { padding: "valid", stride: 2, ...positive }),
    ]),
    "same at stride 2, an uneven kernel": chain([
      conv(2, [3, 5], { padding: "same", stride: 2, ...positive }),
      conv(1, 3, { padding: "same", ...positive }),
    ]),
    "explicit padding and a pool": chain([
      zeroPad(2),
      conv(2, 3, { padding: 1, stride: 2, ...positive }),
      avgPool(3, 2, { padding: 1 }),
    ]),
    "a branch and its shortcut": chain([
      conv(2, 3, { padding: "same", ...positive }),
      add([chain([conv(2, 5, { padding: "same", ...positive })]), identity]),
    ]),
  };

  it.each(Object.entries(cases))("no pixel outside matters, and the border pixels do: %s", async (_, block) => {
    const model = network([33, 40, 3], block);
    const { theoretical, stride, offset, position, weights, size } = await measuredReceptiveField(model, {
      samples: 1,
    });
    const inside = (axis: 0 | 1, pixel: number): boolean => {
      const start = offset![axis] + position[axis] * stride[axis];
      return pixel >= start && pixel < start + theoretical[axis];
    };
    const seen = [...weights].map((weight) => weight > 0);
    const wanted = seen.map((__, i) => inside(0, Math.floor(i / size[1])) && inside(1, i % size[1]));
    expect(seen).toEqual(wanted);
    expect(wanted.filter(Boolean)).toHaveLength(theoretical[0] * theoretical[1]);
  });

  it("has the Gaussian of a stack of equal windows: the variances of uniform windows add up", async () => {
    const windows = Array.from({ length: 4 }, () => conv(1, 3, { padding: "same", ...positive }));
    const model = network([31, 27, 1], chain(windows));
    const { gaussian, effective, theoretical } = await measuredReceptiveField(model, { samples: 1 });
    const deviation = Math.sqrt((4 * (3 ** 2 - 1)) / 12);
    expect(gaussian.deviation[0]).toBeCloseTo(deviation, 5);
    expect(gaussian.deviation[1]).toBeCloseTo(deviation, 5);
    expect(gaussian.center[0]).toBeCloseTo(15, 4);
    expect(gaussian.center[1]).toBeCloseTo(13, 4);
    expect(theoretical).toEqual([9, 9]);
    expect(stackedReceptiveField(Array.from({ length: 4 }, () => ({ kernel: 3 }))).size).toBe(9);
    // Of 3^4 = 81 paths 1, 4, 10, 16, 19, 16 … end at each pixel: 19 + 32 + 20 = 71 within 5 pixels, 79 within 7.
    expect(effective).toEqual([7, 7]);
  });

  it("averages absolute gradients over the images given", async () => {
    const model = network([4, 6, 1], chain([maxPool(2, 2, { padding: "valid" })]));
    const images = tf.tensor4d(
      Array.from({ length: 48 }, (_, i) => i),
      [2, 4, 6, 1],
    );
    // The largest of each 2x2 window is its last pixel; position [1, 1] of the map has pixel [3, 3].
    const { weights, samples, position } = await measuredReceptiveField(model, { images });
    images.dispose();
    expect(position).toEqual([1, 1]);
    expect(samples).toBe(2);
    expect([...weights].flatMap((weight, i) => (weight > 0 ? [i] : []))).toEqual([3 * 6 + 3]);
  });

  it("leaves no tensor, and refuses what it cannot measure", async () => {
    const model = network([8, 8, 1], chain({ c: conv(1, 3, { padding: "same" }) }));
    const before = tf.memory().numTensors;
    await measuredReceptiveField(model, { samples: 2 });
    expect(tf.memory().numTensors).toBe(before);
    await expect(measuredReceptiveField(model, { layer: "d" })).rejects.toThrow('has no feature map "d": the maps are');
    await expect(measuredReceptiveField(model, { sample: 2 } as never)).rejects.toThrow('Did you mean "samples"?');
    const images = tf.zeros([1, 8, 9, 1]) as tf.Tensor4D;
    await expect(measuredReceptiveField(model, { images })).rejects.toThrow("[null,8,8,1], got [1,8,9,1]");
    images.dispose();
  });
});

describe("famous networks", () => {
  beforeAll(() => useEngine(engines[0] ?? "wasm").then(() => undefined));

  it("see as much of the image as the papers' arithmetic says", () => {
    const fields = (["vgg16", "resnet50", "resnet50-tv"] as const).map((name) => {
      const model = createModel(name, { includeTop: false });
      const [field] = [...receptiveFields(model).values()].slice(-1);
      model.dispose();
      return field!.size;
    });
    expect(fields).toEqual([
      [212, 212],
      [483, 483],
      [427, 427],
    ]);
  });

  // The same windows in the same order with one filter each. All weights are positive, so that no path is cut or canceled;
  // the pools are means, since a maximum passes one gradient of each window alone.
  const window = (kernel: number, stride = 1) => conv(1, kernel, { padding: "same", stride, ...positive });
  const vgg = [2, 2, 3, 3, 3].flatMap((count) => [
    ...Array.from({ length: count }, () => window(3)),
    avgPool(2, 2, { padding: "valid" }),
  ]);
  const resnet = (strideOn: "1x1" | "3x3"): Block =>
    chain([
      window(7, 2),
      batchNorm(),
      relu(),
      avgPool(3, 2, { padding: "same" }),
      ...[3, 4, 6, 3].map((count, i) =>
        stage(count, (j) => bottleneckBlock(1, { strideOn, padding: "same", stride: i > 0 && j === 0 ? 2 : 1 })),
      ),
    ]);
  const cases: readonly (readonly [string, Block, number, number])[] = [
    ["VGG-16 after pool5", chain(vgg), 212, 32],
    ["ResNet-50, stride on the 1x1", resnet("1x1"), 483, 32],
    ["ResNet-50, stride on the 3x3", resnet("3x3"), 427, 32],
  ];

  it.each(cases)("gradients reach just that part: %s", async (_, block, field, stride) => {
    const model = network([512, 512, 1], block);
    for (const variable of model.trainableWeights) {
      if (variable.shape.length !== 4) continue;
      variable.write(tf.fill(variable.shape as number[], 1 / (variable.shape[0]! * variable.shape[1]!)));
    }
    const {
      theoretical,
      stride: step,
      offset,
      position,
      weights,
      size,
    } = await measuredReceptiveField(model, {
      samples: 1,
    });
    expect([theoretical, step]).toEqual([
      [field, field],
      [stride, stride],
    ]);
    const start = offset!.map((first, axis) => first + position[axis as 0 | 1] * stride);
    const sums = (axis: 0 | 1): number[] =>
      Array.from({ length: size[axis] }, (__, at) =>
        Array.from(
          { length: size[1 - axis]! },
          (___, other) => weights[axis === 0 ? at * size[1] + other : other * size[1] + at]!,
        ).reduce((a, b) => a + b, 0),
      );
    for (const axis of [0, 1] as const) {
      const seen = sums(axis).flatMap((sum, at) => (sum > 0 ? [at] : []));
      expect([seen[0], seen.at(-1)]).toEqual([start[axis], start[axis]! + field - 1]);
    }
    model.dispose();
  });

  it("starts where it does without the nested model that the layers are in", async () => {
    const body = () => [
      tfl.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", kernelInitializer: "ones" }),
      tfl.layers.conv2d({ filters: 1, kernelSize: 3, strides: 2, kernelInitializer: "ones" }),
    ];
    const input = tfl.input({ shape: [12, 10, 1] });
    const first = () => tfl.layers.conv2d({ filters: 2, kernelSize: 5, padding: "same", kernelInitializer: "ones" });
    const apply = (layers: readonly tfl.layers.Layer[], x: tfl.SymbolicTensor) =>
      layers.reduce((value, layer) => layer.apply(value) as tfl.SymbolicTensor, x);
    const inner = tfl.input({ shape: [12, 10, 2] });
    const nested = tfl.model({ inputs: inner, outputs: apply(body(), inner), name: "inner" });
    const one = tfl.model({ inputs: input, outputs: apply([first(), nested], input) });
    const flat = tfl.model({ inputs: input, outputs: apply([first(), ...body()], input) });
    const ask = { samples: 1 };
    const { layer, offset, ...rest } = await measuredReceptiveField(one, { ...ask, layer: "inner" });
    const { layer: __, ...expected } = await measuredReceptiveField(flat, ask);
    expect(layer).toBe("inner");
    // Two pixels of padding of the 5x5 convolution, one of the 3x3 convolution.
    expect(offset).toEqual([-3, -3]);
    expect({ offset, ...rest }).toEqual(expected);
  });
});
