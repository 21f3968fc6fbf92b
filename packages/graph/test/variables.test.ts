import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import type { GraphNode } from "../src/ir/graph-node.ts";
import { writeBarrier } from "../src/passes/write-barrier.ts";
import { adam, compile, GraphError, sgd } from "../src/index.ts";

const one = { data: Float32Array.of(1), shape: [] };

describe.runIf(engines.includes("native"))("variables", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  /** A variable, and a compiled function that adds to it and returns its square before. */
  function counter(start = 0) {
    const variable = tf.variable(tf.scalar(start));
    const add = compile((x: tf.Tensor) => {
      const before = tf.square(variable);
      variable.assign(tf.add(variable, x) as tf.Scalar);
      return before;
    });
    return { variable, add, value: () => variable.dataSync()[0] };
  }

  test("are never stale when read", async () => {
    const { add, value } = counter(3);
    expect((await add(one)).item()).toBe(9);
    expect(value()).toBe(4);
    expect((await add(tf.scalar(2))).item()).toBe(16);
    expect(value()).toBe(6);
    await add.dispose();
    expect(value()).toBe(6);
  });

  test("read during a run give the value after it", async () => {
    const { add, value } = counter(1);
    await add(one);
    const running = add(one);
    await Promise.resolve();
    await Promise.resolve();
    expect(value()).toBe(3);
    await running;
    expect(value()).toBe(3);
    await add.dispose();
  });

  test("assigned in JavaScript reach the next run", async () => {
    const { variable, add, value } = counter();
    await add(one);
    variable.assign(tf.scalar(10));
    expect(value()).toBe(10);
    expect((await add(one)).item()).toBe(100);
    expect(value()).toBe(11);
    await add.dispose();
  });

  test("are used by eager ops between runs", async () => {
    const { variable, add } = counter(2);
    await add(one);
    expect(tf.mul(variable, 2).dataSync()[0]).toBe(6);
    await add(one);
    expect(tf.mul(variable, 2).dataSync()[0]).toBe(8);
    await add.dispose();
  });

  test("keep clones as they were", async () => {
    const { variable, add, value } = counter(5);
    await add(one);
    const clone = variable.clone();
    await add(one);
    await add(one);
    expect([clone.dataSync()[0], value()]).toEqual([6, 8]);
    await add.dispose();
    expect([clone.dataSync()[0], value()]).toEqual([6, 8]);
  });

  test.each([
    ["SGD", () => tf.train.sgd(0.1)],
    ["Adam", () => tf.train.adam(0.1)],
  ] as const)("keep clones that were made before an update in the function: %s", async (_, make) => {
    const training = () => {
      const [weight, optimizer] = [tf.variable(tf.tensor1d([1, 2])), make()];
      const loss = () => tf.sum(tf.square(weight)) as tf.Scalar;
      const step = () => {
        const before = weight.clone();
        optimizer.minimize(loss);
        const between = weight.clone();
        optimizer.minimize(loss);
        const changes = [tf.sub(weight, before), tf.sub(weight, between), tf.sub(between, before)];
        weight.assign(tf.add(before, tf.mul(tf.sub(weight, before), 0.5)) as tf.Tensor1D);
        return changes;
      };
      return { weight, step };
    };
    const [eager, compiled] = [training(), training()];
    const step = compile(compiled.step);
    for (let run = 0; run < 3; run++) {
      const expected = tf.tidy(() => eager.step().map((change) => [...change.dataSync()]));
      (await step()).forEach(({ data }, i) =>
        data.forEach((value, j) => expect(value).toBeCloseTo(expected[i]![j] as number, 5)),
      );
      compiled.weight
        .dataSync()
        .forEach((value, i) => expect(value).toBeCloseTo(eager.weight.dataSync()[i] as number, 5));
    }
    await step.dispose();
  });

  test("may be exchanged, and an update taken back", async () => {
    const [a, b, c] = [1, 2, 3].map((value) => tf.variable(tf.scalar(value))) as [
      tf.Variable,
      tf.Variable,
      tf.Variable,
    ];
    const turn = compile(() => {
      const first = a.clone();
      a.assign(b.clone());
      b.assign(c.clone());
      c.assign(first);
      const before = a.clone();
      tf.train.sgd(1).minimize(() => tf.square(a) as tf.Scalar, false, [a]);
      a.assign(before);
      return [a, b, c];
    });
    for (const expected of [
      [2, 3, 1],
      [3, 1, 2],
    ]) {
      expect((await turn()).map((value) => value.item())).toEqual(expected);
      expect([a, b, c].map((variable) => variable.dataSync()[0])).toEqual(expected);
    }
    await turn.dispose();
  });

  test("are shared by two compiled functions, and by ones with other options", async () => {
    const { variable, add } = counter();
    const read = compile(() => tf.mul(variable, 10));
    const elsewhere = compile(() => variable.assign(tf.mul(variable, 2) as tf.Scalar) as unknown, {
      deterministic: true,
    });
    await add(one);
    expect((await read()).item()).toBe(10);
    await elsewhere();
    expect((await read()).item()).toBe(20);
    await add(one);
    expect((await read()).item()).toBe(30);
    await Promise.all([add.dispose(), read.dispose(), elsewhere.dispose()]);
  });

  test("stay as they were when a run throws", async () => {
    const variables = [1, 2, 3].map((value) => tf.variable(tf.tensor1d([value])));
    const table = tf.tensor1d([1, 2, 3]);
    const step = compile((index: tf.Tensor) => {
      for (const variable of variables) variable.assign(tf.add(variable, 1));
      return tf.gather(table, index as tf.Tensor1D);
    });
    const at = (i: number) => ({ data: Int32Array.of(i), shape: [1] });
    await step(at(1));
    await expect(step(at(7))).rejects.toThrow(/GatherV2 failed .*variables\.test\.ts:\d+.*indices\[0\] = 7/);
    expect(variables.map((variable) => variable.dataSync()[0])).toEqual([2, 3, 4]);
    await step(at(2));
    expect(variables.map((variable) => variable.dataSync()[0])).toEqual([3, 4, 5]);
    await step.dispose();
  });

  test.each([
    ["SGD", () => sgd({ learningRate: 0.1 })],
    ["Adam", () => adam({ learningRate: 0.1 })],
    ["tfjs' Adam", () => tf.train.adam(0.1)],
  ] as const)("stay as they were when a later one of several calls in one run throws: %s", async (_, make) => {
    const table = tf.variable(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]));
    const optimizer = make();
    const step = compile(
      (index: tf.Tensor) =>
        optimizer.minimize(() => tf.sum(tf.square(tf.gather(table, index as tf.Tensor1D))), true) as tf.Scalar,
    );
    const calls = (...indices: number[]) =>
      indices.map((i): [{ data: Int32Array; shape: number[] }] => [{ data: Int32Array.of(i), shape: [1] }]);
    const values = async () => {
      const state = (await optimizer.getWeights()).slice(1).map(({ tensor }) => tensor);
      return [table, ...state].map((tensor) => [...tensor.dataSync()]);
    };
    await step.steps(calls(0, 1, 2));
    const before = await values();
    await expect(step.steps(calls(0, 1, 7))).rejects.toThrow(/7/);
    expect(await values()).toEqual(before);
    await step.steps(calls(2, 1, 0));
    expect(await values()).not.toEqual(before);
    await step.dispose();
  });

  test("disposed are said to be so", async () => {
    const { variable, add } = counter();
    await add(one);
    variable.dispose();
    await expect(add(one)).rejects.toThrow(/variable .* was disposed/);
    await add.dispose();
    await expect(add(one)).rejects.toThrow(GraphError);
  });

  test("leak nothing", async () => {
    const { add, variable } = counter();
    await add(one);
    const before = tf.memory();
    for (let i = 0; i < 5; i++) {
      await add(one);
      variable.dataSync();
    }
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    expect({ numTensors, numDataBuffers, numBytes }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
      numBytes: before.numBytes,
    });
    await add.dispose();
  });
});

describe("writes", () => {
  /** A chain of nodes: each takes the one before. */
  const node = (name: string, op: string, inputs: GraphNode[] = []): GraphNode => ({
    name,
    op,
    inputs: inputs.map((from) => ({ node: from, index: 0 })),
    control: [],
    attrs: {},
    outputs: [],
  });

  test.each([
    [false, ["gather"]],
    [true, ["gather", "product"]],
  ])("wait for what may fail; on a GPU (%s) for all that they write", (everything, expected) => {
    const handle = node("handle", "VarHandleOp");
    const gather = node("gather", "GatherV2", [node("x", "Placeholder")]);
    const product = node("product", "MatMul", [gather]);
    const write = node("write", "AssignVariableOp", [handle, product]);
    const later = node("later", "GatherV2", [node("y", "Placeholder")]);
    later.control.push(write);
    const graph = { outputs: [{ ref: { node: later, index: 0 } }], writes: [write], variables: [], isSafe: true };
    const options = {
      precision: "float32",
      freeze: false,
      exact: false,
      isUsingGpu: everything,
      losesNan: false,
    } as const;
    expect(writeBarrier.run(graph, options)).toEqual({ AssignVariableOp: 1 });
    expect(write.control.map(({ op }) => op)).toEqual(["NoOp"]);
    expect(write.control[0]?.control.map(({ name }) => name)).toEqual(expected);
  });
});
