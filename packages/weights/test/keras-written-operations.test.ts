import { expect, it } from "vitest";
import { exportOperation } from "../src/formats/keras/export-operation.ts";
import type { ExportContext } from "../src/formats/keras/keras-part.ts";

const context = {
  inputShape: [null, 4, 4, 1],
  refuse: (problem: string) => {
    throw new Error(problem);
  },
} as unknown as ExportContext;
const pads = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
];

// Keras' Pad takes its mode in small letters, and a value only beside "constant" (keras/src/ops/numpy.py).
it.each([
  ["CONSTANT", 2, { mode: "constant", constant_values: 2 }],
  ["REFLECT", 0, { mode: "reflect" }],
  [undefined, 3, { constant_values: 3 }],
])("a pad of TensorFlow's mode %s is written as Keras takes it", (mode, value, wanted) => {
  const values = { x: { slot: 0 }, pad_width: pads, mode, constant_values: value };
  const [part] = exportOperation({ op: "pad", values }, context);
  const { args = [], config = {} } = part!.operation!;
  const stated: Record<string, unknown> = { ...config };
  delete stated["pad_width"];
  // What Keras takes by position: the tensor, and a value after it.
  if (args.length > 1) stated["constant_values"] = args[1];
  expect(stated).toEqual(wanted);
});
