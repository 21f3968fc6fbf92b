import type { InputOf, OutputOf } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { OtherShapes } from "../src/zoo-shapes.ts";

const others: OtherShapes = {
  lenet5: [[28, 28, 1], 10],
  "simple-cnn": [[28, 28, 3], 10],
  "inception-cifar10": [[32, 32, 3], 10],
  "resnet50-small": [[32, 32, 3], 10],
  "residual-stack": [[32, 32, 3], 1],
  "mini-xception": [[180, 180, 3], 1],
  "vgg16-inception": [[224, 224, 1], 1000],
  "resnet20-cifar10": [[32, 32, 3], 10],
  "resnet32-cifar10": [[32, 32, 3], 10],
  "resnet44-cifar10": [[32, 32, 3], 10],
  "resnet56-cifar10": [[32, 32, 3], 10],
  "resnet110-cifar10": [[32, 32, 3], 10],
  "inception-v3": [[299, 299, 3], 1000],
  "inception-resnet-v2": [[299, 299, 3], 1000],
  xception: [[299, 299, 3], 1000],
  "efficientnet-b1": [[240, 240, 3], 1000],
  "efficientnet-b2": [[260, 260, 3], 1000],
  "efficientnet-b3": [[300, 300, 3], 1000],
  "efficientnet-b4": [[380, 380, 3], 1000],
  "efficientnet-b5": [[456, 456, 3], 1000],
  "efficientnet-b6": [[528, 528, 3], 1000],
  "efficientnet-b7": [[600, 600, 3], 1000],
  "inception-v3-tv": [[299, 299, 3], 1000],
  "efficientnet-b1-tv": [[240, 240, 3], 1000],
  "efficientnet-b2-tv": [[288, 288, 3], 1000],
  "efficientnet-b3-tv": [[300, 300, 3], 1000],
  "efficientnet-b4-tv": [[380, 380, 3], 1000],
  "efficientnet-b5-tv": [[456, 456, 3], 1000],
  "efficientnet-b6-tv": [[528, 528, 3], 1000],
  "efficientnet-b7-tv": [[600, 600, 3], 1000],
  "efficientnet-v2-s": [[384, 384, 3], 1000],
  "efficientnet-v2-m": [[480, 480, 3], 1000],
  "efficientnet-v2-l": [[480, 480, 3], 1000],
  "xception-timm": [[299, 299, 3], 1000],
};

describe("the shapes of the zoo in types", () => {
  it.each(Object.keys(zoo) as ModelName[])("%s", (name) => {
    const { input, classes } = zoo[name];
    expect([input, classes]).toEqual((others as Partial<Record<ModelName, unknown>>)[name] ?? [[224, 224, 3], 1000]);
  });

  it("are those of a made model", async () => {
    await useEngine("wasm");
    const lenet = createModel("lenet5");
    expectTypeOf<InputOf<typeof lenet>>().toEqualTypeOf<[28, 28, 1]>();
    expectTypeOf<OutputOf<typeof lenet>>().toEqualTypeOf<[10]>();
    expect([lenet.inputs[0]?.shape, lenet.outputs[0]?.shape]).toEqual([
      [null, 28, 28, 1],
      [null, 10],
    ]);
    const pets = createModel("squeezenet1-1-tv", { classes: 37, input: [160, 160, 3] });
    expectTypeOf<InputOf<typeof pets>>().toEqualTypeOf<readonly [160, 160, 3]>();
    expectTypeOf<OutputOf<typeof pets>>().toEqualTypeOf<[37]>();
    expect(pets.outputs[0]?.shape).toEqual([null, 37]);
    const trunk = createModel("lenet5", { includeTop: false });
    expectTypeOf<OutputOf<typeof trunk>>().toEqualTypeOf<readonly (number | null)[]>();
    // @ts-expect-error -- a mistyped option is refused by the compiler, too
    expect(() => createModel("lenet5", { clases: 3 })).toThrow(/clases/);
  });
});
