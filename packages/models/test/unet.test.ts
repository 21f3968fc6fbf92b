import { readFileSync } from "node:fs";
import { modelMetadata, withoutDrawing } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { type UnetOptions, unet } from "@convkit/models";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { seededInput, setSeededWeights } from "./seeded-weights.ts";

interface Case extends Required<Pick<UnetOptions, "padding" | "up">> {
  readonly norm?: boolean;
  readonly size: [number, number, number];
  readonly widths: number[];
  readonly classes: number;
  readonly gain: number;
  readonly shape: number[];
  readonly params: number;
  /** Base64 of float32. */
  readonly logits: string;
}

const golden = JSON.parse(readFileSync(new URL("golden-unet.json", import.meta.url), "utf8")) as {
  paper: number;
  cases: Case[];
};

// One engine a process: the best that is here.
beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
});

test.each(golden.cases.map((each) => [`${each.padding}, ${each.up}${each.norm ? ", norm" : ""}`, each] as const))(
  "equals Keras' U-Net of the same weights: %s",
  (_title, { size, widths, classes, gain, shape, params, logits, ...options }) => {
    const model = withoutDrawing(() =>
      unet({ ...options, norm: options.norm, input: size, widths, classes, logits: true }),
    );
    expect(model.countParams()).toBe(params);
    setSeededWeights(model, gain);
    const x = seededInput(size, 1);
    const y = model.predict(x) as tf.Tensor;
    expect(y.shape).toEqual(shape);
    const bytes = Buffer.from(logits, "base64");
    const wanted = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const largest = y.dataSync<"float32">().reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
    expect(largest).toBeLessThan(1e-5);
    tf.dispose([x, y]);
    model.dispose();
  },
);

test("has the weights and the sizes of the paper", () => {
  const model = withoutDrawing(() => unet({ input: [572, 572, 1], padding: "valid" }));
  expect(model.outputs[0]!.shape).toEqual([null, 388, 388, 2]);
  const widths = [64, 128, 256, 512, 1024];
  const convs = (from: number, to: number) => 9 * from * to + to + 9 * to * to + to;
  const down = widths.map((width, i) => convs(i === 0 ? 1 : widths[i - 1]!, width));
  const up = widths.slice(0, -1).map((width) => 4 * 2 * width * width + width + convs(2 * width, width));
  const count = [...down, ...up].reduce((sum, each) => sum + each) + 64 * 2 + 2;
  expect([model.countParams(), golden.paper]).toEqual([count, count]);
  model.dispose();
});

test("takes images of any size that can be halved, and tells its preprocessing", () => {
  const model = unet({ input: [null, null, 1], widths: [2, 3], classes: 1 });
  const y = model.predict(tf.zeros([1, 6, 10, 1])) as tf.Tensor;
  expect(y.shape).toEqual([1, 6, 10, 1]);
  expect(y.dataSync().every((value) => value === 0.5)).toBe(true);
  expect(modelMetadata(model).preprocessing).toEqual({ scale: 1 / 255 });
  expect(modelMetadata(unet({ input: [8, 8, 3], widths: [2, 3] })).images).toEqual({ size: [8, 8] });
});

test.each<[UnetOptions, string]>([
  [{ input: [100, 96, 3] }, "a height and a width that are multiples of 16 for 4 halvings, got 100"],
  [
    { input: [512, 512, 3], padding: "valid" },
    "a side whose maps can be halved 4 times, such as 572, but 512 gives 121 at level 3",
  ],
  [{ input: [null, 96, 3], padding: "valid" }, 'a height and a width for padding "valid"'],
  [
    { input: [28, 28, 3], widths: [2, 3, 4], padding: "valid" },
    "a larger side than 28, whose mask would have no pixel",
  ],
  [{ widths: [64] }, "at least two widths, whole numbers from 1, got [64]"],
  [{ up: "cubic" as "nearest" }, 'up to be "transposed" or "nearest", got "cubic"'],
])("refuses %j", (options, message) => {
  expect(() => unet(options)).toThrow(`unet: expected ${message}`);
});
