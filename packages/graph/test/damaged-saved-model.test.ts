import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, GraphError, loadSavedModel } from "../src/index.ts";
import { decode, encode, type Message } from "../src/native/protos.ts";

const folder = mkdtempSync(join(tmpdir(), "graph-damaged-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Node {
  name: string;
  op: string;
  attr: Record<string, { type?: number; shape?: object; tensor?: { dtype: number; tensor_shape: object } }>;
}

describe.runIf(engines.includes("native"))(
  "a SavedModel that would end the process inside TensorFlow is refused before",
  () => {
    const file = join(folder, "saved_model.pb");
    let whole: Buffer;
    beforeAll(async () => {
      await useEngine("native");
      const f = compile((x: tf.Tensor) => tf.add(x, tf.tensor1d([1, 2, 3])));
      await f.savedModel(folder, [tf.zeros([2, 3])], { inputs: ["x"], outputs: ["y"] });
      await f.dispose();
      whole = readFileSync(file);
    });

    const change = (edit: (nodes: Node[]) => void): void => {
      const model = decode("SavedModel", whole) as unknown as { meta_graphs: { graph_def: { node: Node[] } }[] };
      edit(model.meta_graphs[0]!.graph_def.node);
      writeFileSync(file, encode("SavedModel", model as unknown as Message));
    };
    const constant = (nodes: Node[]): Node => nodes.find(({ op }) => op === "Const")!;
    const dims = (...sizes: number[]): object => ({ dim: sizes.map((size) => ({ size })) });

    test.each<[string, (nodes: Node[]) => void, RegExp]>([
      [
        "an unknown op",
        (nodes) => (constant(nodes).op = "Cosnt"),
        /is of the op "Cosnt", which this TensorFlow does not have/,
      ],
      ["an unknown type", (nodes) => (constant(nodes).attr["dtype"]!.type = 77), /has "dtype" of the type 77/],
      [
        "a constant larger than its content",
        (nodes) => (constant(nodes).attr["value"]!.tensor!.tensor_shape = dims(2 ** 20)),
        /has "value" of 4194304 bytes, of which the file has \d+/,
      ],
      [
        "a shape whose product overflows",
        (nodes) => (constant(nodes).attr["value"]!.tensor!.tensor_shape = dims(2 ** 40, 2 ** 40)),
        /has "value" of the shape \[1099511627776, 1099511627776\]/,
      ],
      [
        "a negative size",
        (nodes) => (constant(nodes).attr["value"]!.tensor!.tensor_shape = dims(-3)),
        /has "value" of the shape \[-3\]/,
      ],
      [
        "a shape of 300 axes",
        (nodes) =>
          (nodes.find(({ op }) => op === "Placeholder")!.attr["shape"]!.shape = dims(
            ...Array.from({ length: 300 }, () => 1),
          )),
        /which has 300 axes/,
      ],
    ])("%s", async (_, edit, message) => {
      change(edit);
      const error = await loadSavedModel(folder).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(GraphError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toContain(file);
    });

    test("bytes that are no message", async () => {
      writeFileSync(file, whole.subarray(0, whole.length - 5));
      await expect(loadSavedModel(folder)).rejects.toThrow(/saved_model\.pb is no SavedModel: /);
    });

    test("a function that calls itself by way of another", async () => {
      const called = (name: string, next: string) => ({
        signature: { name },
        node_def: [{ name: "call", op: "PartitionedCall", attr: { f: { func: { name: next } } } }],
      });
      const library = { function: [called("a", "b"), called("b", "a")] };
      writeFileSync(file, encode("StoredModel", { meta_graphs: [{ graph_def: { node: [], library } }] }));
      await expect(loadSavedModel(folder)).rejects.toThrow(/the function "a" calls itself/);
    });

    test("and the whole one is loaded", async () => {
      writeFileSync(file, whole);
      const model = await loadSavedModel(folder);
      const { y } = await model({ x: { data: Float32Array.of(1, 1, 1), shape: [1, 3] } });
      expect([...y!.data]).toEqual([2, 3, 4]);
      await model.dispose();
    });

    test("without the file of its variables, which TensorFlow misses in a run: the error names the model", async () => {
      const place = join(folder, "with-variables");
      const v = tf.variable(tf.tensor1d([1, 2, 3]));
      const f = compile((x: tf.Tensor) => tf.add(x, v));
      await f.savedModel(place, [tf.zeros([2, 3])], { inputs: ["x"], outputs: ["y"] });
      await f.dispose();
      v.dispose();
      rmSync(join(place, "variables", "variables.index"));
      const model = await loadSavedModel(place);
      await expect(model({ x: { data: Float32Array.of(1, 1, 1), shape: [1, 3] } })).rejects.toThrow(
        `The SavedModel ${place} cannot run: Could not find variable `,
      );
      await model.dispose();
    });
  },
);
