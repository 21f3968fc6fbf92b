import {
  add,
  avgPool,
  batchNorm,
  chain,
  concat,
  conv,
  dense,
  depthwiseConv,
  dropout,
  flatten,
  globalAvgPool,
  identity,
  maxPool,
  network,
  relu,
  reshape,
  separableConv,
} from "@convkit/core";
import type { Block, InputOf, OutputOf } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { Add, Divide, Multiply, Subtract } from "../src/typed/arithmetic.ts";

beforeAll(() => useEngine("wasm").then(() => undefined));

const same = { padding: "same" } as const;
const valid = { padding: "valid" } as const;

/** The shape that the model has at run time, without the batch. */
const outputOf = (model: LayersModel): (number | null)[] => (model.outputs[0]?.shape ?? []).slice(1);

describe("numbers in types", () => {
  it("are worked out digit by digit", () => {
    expectTypeOf<Add<999, 1>>().toEqualTypeOf<1000>();
    expectTypeOf<Add<0, 0>>().toEqualTypeOf<0>();
    expectTypeOf<Subtract<1000, 1>>().toEqualTypeOf<999>();
    expectTypeOf<Subtract<5, 5>>().toEqualTypeOf<0>();
    expectTypeOf<Subtract<3, 5>>().toEqualTypeOf<never>();
    expectTypeOf<Multiply<49, 512>>().toEqualTypeOf<25088>();
    expectTypeOf<Multiply<99, 99>>().toEqualTypeOf<9801>();
    expectTypeOf<Multiply<0, 512>>().toEqualTypeOf<0>();
    expectTypeOf<Divide<223, 2>>().toEqualTypeOf<111>();
    expectTypeOf<Divide<5, 7>>().toEqualTypeOf<0>();
    expectTypeOf<Divide<99, 9>>().toEqualTypeOf<11>();
    expectTypeOf<Add<number, 3>>().toEqualTypeOf<number>();
    expectTypeOf<Divide<10, number>>().toEqualTypeOf<number>();
  });
});

describe("shapes in types are those of the model", () => {
  it("of LeNet-5", () => {
    const model = network(
      [28, 28, 1],
      chain([
        conv(6, 5, { ...same, activation: "relu" }),
        maxPool(2, undefined, valid),
        conv(16, 5, valid),
        relu(),
        avgPool(2, 2, valid),
        flatten(),
        dropout(0.5),
        dense(120),
        dense(10),
      ]),
    );
    expectTypeOf<InputOf<typeof model>>().toEqualTypeOf<readonly [28, 28, 1]>();
    expectTypeOf<OutputOf<typeof model>>().toEqualTypeOf<[10]>();
    expect(outputOf(model)).toEqual([10]);
  });

  it("of VGG-16, for the compiler alone", () => {
    const body = () =>
      chain([
        conv(64, 3, same),
        conv(64, 3, same),
        maxPool(2, 2, valid),
        conv(128, 3, same),
        conv(128, 3, same),
        maxPool(2, 2, valid),
        conv(256, 3, same),
        conv(256, 3, same),
        conv(256, 3, same),
        maxPool(2, 2, valid),
        conv(512, 3, same),
        conv(512, 3, same),
        conv(512, 3, same),
        maxPool(2, 2, valid),
        conv(512, 3, same),
        conv(512, 3, same),
        conv(512, 3, same),
        maxPool(2, 2, valid),
      ]);
    const maps = () => network([224, 224, 3], body());
    expectTypeOf<OutputOf<ReturnType<typeof maps>>>().toEqualTypeOf<[7, 7, 512]>();
    const vgg = () =>
      network(
        [224, 224, 3],
        chain([body(), flatten(), dense(4096), dropout(0.5), dense(4096), dropout(0.5), dense(1000)]),
      );
    expectTypeOf<OutputOf<ReturnType<typeof vgg>>>().toEqualTypeOf<[1000]>();
  });

  it("of windows of every kind", () => {
    const strided = network([33, 20, 3], conv(8, [3, 5], { padding: "same", stride: [2, 3] }));
    expectTypeOf<OutputOf<typeof strided>>().toEqualTypeOf<[17, 7, 8]>();
    expect(outputOf(strided)).toEqual([17, 7, 8]);

    const dilated = network([33, 20, 3], conv(8, 3, { padding: "valid", dilation: [4, 2] }));
    expectTypeOf<OutputOf<typeof dilated>>().toEqualTypeOf<[25, 16, 8]>();
    expect(outputOf(dilated)).toEqual([25, 16, 8]);

    const padded = network(
      [33, 20, 3],
      conv(8, 7, {
        padding: [
          [3, 2],
          [1, 0],
        ],
        stride: 2,
      }),
    );
    expectTypeOf<OutputOf<typeof padded>>().toEqualTypeOf<[16, 8, 8]>();
    expect(outputOf(padded)).toEqual([16, 8, 8]);

    const even = network([33, 20, 3], maxPool(3, 2, { padding: 1 }));
    expectTypeOf<OutputOf<typeof even>>().toEqualTypeOf<[17, 10, 3]>();
    expect(outputOf(even)).toEqual([17, 10, 3]);

    const ceil = network([33, 20, 3], maxPool(2, 2, { padding: "valid", ceil: true }));
    expectTypeOf<OutputOf<typeof ceil>>().toEqualTypeOf<[number, number, 3]>();

    const deep = network(
      [16, 16, 3],
      chain([depthwiseConv(3, { ...same, multiplier: 4 }), separableConv(5, 3, { ...valid, stride: 2 })]),
    );
    expectTypeOf<OutputOf<typeof deep>>().toEqualTypeOf<[7, 7, 5]>();
    expect(outputOf(deep)).toEqual([7, 7, 5]);
  });

  it("of branches, means and other shapes", () => {
    const module = concat([conv(64, 1, same), chain([conv(96, 1, same), conv(128, 3, same)]), maxPool(3, 1, same)]);
    const wide = network([28, 28, 192], chain([module, add([identity, batchNorm()])]));
    expectTypeOf<OutputOf<typeof wide>>().toEqualTypeOf<[28, 28, 384]>();
    expect(outputOf(wide)).toEqual([28, 28, 384]);

    const mean = network(
      [28, 28, 3],
      chain([conv(12, 3, same), globalAvgPool(), reshape([2, 2, 3]), globalAvgPool({ keepSize: true })]),
    );
    expectTypeOf<OutputOf<typeof mean>>().toEqualTypeOf<[1, 1, 3]>();
    expect(outputOf(mean)).toEqual([1, 1, 3]);
  });

  it("are number where a length is not known, and are found again behind a dense layer", () => {
    const filters = Number("8");
    const some: Block = conv(filters, 3, same);
    const model = network([null, null, 3], chain([some, conv(4, 3, same), globalAvgPool(), dense(filters)]));
    expectTypeOf<OutputOf<typeof model>>().toEqualTypeOf<[number]>();
    const known = network([null, 32, 3], conv(4, 3, { ...valid, stride: 2 }));
    expectTypeOf<OutputOf<typeof known>>().toEqualTypeOf<[number, 15, 4]>();
    expect(outputOf(known)).toEqual([null, 15, 4]);
  });
});

describe("what cannot be is an error of the compiler, and of the run", () => {
  it("a window larger than the map", () => {
    // @ts-expect-error -- conv: a 5x5 window does not fit into a map of 4x4x8
    expect(() => network([8, 8, 3], chain([conv(8, 5, valid), conv(8, 5, valid)]))).toThrow(/does not fit/);
  });

  it("a sum of unequal shapes", () => {
    // @ts-expect-error -- add: expected branches of equal shapes, got 8x8x3 and 8x8x4
    expect(() => network([8, 8, 3], add([identity, conv(4, 3, same)]))).toThrow(/fit together/);
  });

  it("branches of unequal size side by side", () => {
    // @ts-expect-error -- concat: expected branches of equal height and width, got 8x8x4 and 6x6x4
    expect(() => network([8, 8, 3], concat([conv(4, 3, same), conv(4, 3, valid)]))).toThrow(/fit together/);
  });

  it("a convolution of a list of numbers", () => {
    // @ts-expect-error -- conv: expected a map [height, width, channels], got [192]
    expect(() => network([8, 8, 3], chain([flatten(), conv(4, 3, same)]))).toThrow();
  });

  it("a dense layer on a map, which the run takes as one at each pixel", () => {
    // @ts-expect-error -- dense: expected a list of numbers, got a map of 8x8x3; put flatten() or globalAvgPool() before it
    const model = network([8, 8, 3], dense(10));
    expect(outputOf(model)).toEqual([8, 8, 10]);
  });
});
