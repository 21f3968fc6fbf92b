import { basicBlock, bookResidual, bottleneckBlock, preActivationBlock, residual, zeroShortcut } from "@convkit/blocks";
import { chain, conv, maxPool, reshape } from "@convkit/core";
import type { Block, Pair } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { OptionError } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(async () => {
  await useEngine("auto");
});

const same = { padding: "same" } as const;

/** The map's shape, and `[layer, stride]` of the shortcut's convolution or pool. */
function built(block: Block, shape: (number | null)[], shortcut: string): [unknown, unknown] {
  const image = tfl.input({ shape });
  const model = tfl.model({ inputs: image, outputs: block(image, "b") });
  const layer = model.layers.find(({ name }) => name === shortcut);
  return [model.outputs[0]?.shape.slice(1), layer?.getConfig()["strides"]];
}

const project = (filters: number, stride: number | Pair): Block => {
  const made = conv(filters, 1, { ...same, stride });
  return (x, name) => made(x, `${name}.project`);
};
/** `count` halvings, as the stages of a network. */
const halved = (count: number): Block =>
  chain(Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, conv(8, 3, { ...same, stride: 2 })])));

describe("the shortcut of a residual block", () => {
  it.each<[string, Block, number[], number[], unknown]>([
    ["both axes halved", halved(1), [16, 224, 3], [8, 112, 8], [2, 2]],
    ["one row: the width tells", halved(1), [1, 1000, 1], [1, 500, 8], [2, 2]],
    ["one column: the height tells", halved(2), [1000, 1, 1], [250, 1, 8], [4, 4]],
    ["one row is left", halved(5), [16, 224, 3], [1, 7, 8], [32, 32]],
    ["odd sizes", halved(1), [7, 131, 3], [4, 66, 8], [2, 2]],
    ["strides 2x1", conv(8, 3, { ...same, stride: [2, 1] }), [16, 24, 3], [8, 24, 8], [2, 1]],
    ["a pool of 1x3", chain({ c: conv(8, 3, same), p: maxPool(1, [1, 3], same) }), [9, 31, 3], [9, 11, 8], [1, 3]],
    ["more channels only", conv(8, 3, same), [9, 31, 3], [9, 31, 8], [1, 1]],
    ["nothing changes", conv(3, 3, same), [9, 31, 3], [9, 31, 3], undefined],
  ])("%s", (_, main, shape, map, strides) => {
    expect(built(residual(main, project), shape, "b.project")).toEqual([map, strides]);
  });

  it("takes a stride that is given where sizes are not known", () => {
    const block = residual(halved(1), project, { stride: 2 });
    expect(built(block, [null, null, 3], "b.project")).toEqual([
      [null, null, 8],
      [2, 2],
    ]);
    expect(() => built(residual(halved(1), project), [null, 24, 3], "b.project")).toThrow(
      new OptionError("b: expected known sizes before and after the main path, or the option stride."),
    );
  });

  it("refuses what no stride explains", () => {
    expect(() => built(residual(reshape([12, 2, 3]), project), [4, 6, 3], "")).toThrow(
      new OptionError(
        "b: expected a main path that keeps the size or divides it by a whole number, got [4,6,3] and [12,2,3].",
      ),
    );
  });
});

describe("blocks with a stride", () => {
  const padded = { padding: 1 } as const;
  it.each<[string, Block, number, string]>([
    ["basicBlock", basicBlock(8, { ...padded, stride: 2 }), 8, "b.project"],
    ["basicBlock without weights", basicBlock(8, { ...padded, stride: 2, shortcut: zeroShortcut }), 8, "b.pool"],
    ["bottleneckBlock", bottleneckBlock(2, { ...padded, stride: 2, strideOn: "3x3" }), 8, "b.project"],
    ["preActivationBlock", preActivationBlock(2, { stride: 2 }), 8, "b.project"],
    ["bookResidual", bookResidual(8, { pooling: true }), 8, "b.shortcut"],
  ])("%s fit every shape", (_, block, filters, shortcut) => {
    for (const [shape, map] of [
      [
        [16, 224, 3],
        [8, 112, filters],
      ],
      [
        [1, 1000, 1],
        [1, 500, filters],
      ],
      [
        [33, 1, 3],
        [17, 1, filters],
      ],
      [
        [null, null, 3],
        [null, null, filters],
      ],
    ] as const) {
      expect(built(block, [...shape], shortcut)).toEqual([map, [2, 2]]);
    }
  });

  it("take a stride for each axis", () => {
    const block = bottleneckBlock(2, { ...padded, stride: [2, 1], strideOn: "1x1" });
    expect(built(block, [16, 9, 3], "b.project")).toEqual([
      [8, 9, 8],
      [2, 1],
    ]);
  });

  it("project a single pixel as a network of any size would, so that the weights fit", () => {
    const block = basicBlock(3, { ...padded, stride: 2 });
    expect(built(block, [1, 1, 3], "b.project")).toEqual([
      [1, 1, 3],
      [2, 2],
    ]);
  });
});
