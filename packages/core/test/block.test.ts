import "@tensorflow/tfjs-backend-cpu";
import { add, autoNamed, chain, concat, conv, identity, maxPool, named, relu } from "@convkit/core";
import type { Block } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

const same = { padding: "same" } as const;

function names(block: Block, name = ""): string[] {
  const x = tfl.input({ shape: [8, 8, 4], name: "x" });
  return tfl.model({ inputs: x, outputs: block(x, name) }).layers.map((layer) => layer.name);
}

describe("names", () => {
  it.each<[string, Block, string[]]>([
    ["a chain's keys", chain({ conv1: conv(2, 1, same), relu: relu() }), ["x", "conv1", "relu"]],
    ["a path", chain({ a: chain({ b: relu() }) }), ["x", "a.b"]],
    ["another joint", chain({ a: chain({ b: relu() }, { join: "_" }) }), ["x", "a_b"]],
    ["a sum under its block's name", chain({ s: add({ r: relu(), i: identity }) }), ["x", "s.r", "s"]],
    ["a concatenation at the root", concat({ l: relu(), r: relu() }), ["x", "l", "r", "concat"]],
    [
      "an explicit pad beside its convolution",
      chain({ c: conv(2, 3, { stride: 2, padding: 1 }) }),
      ["x", "c.pad", "c"],
    ],
    ["a given name instead of the path", chain({ a: named("conv_pw_1", relu()) }), ["x", "conv_pw_1"]],
    [
      "counted names, from the start in every network",
      autoNamed((auto) => chain({ a: auto("relu", relu()), b: auto("relu", relu()) })),
      ["x", "relu", "relu_1"],
    ],
  ])("come from structure: %s", (_, block, expected) => {
    expect(names(block).toSorted()).toEqual(expected.toSorted());
    expect(names(block).toSorted()).toEqual(expected.toSorted());
  });
});

describe("bad input", () => {
  it.each<[string, () => unknown, string]>([
    [
      "an integer key",
      () => chain({ b: relu(), 1: relu() }),
      'chain: the key "1" is a plain integer, which JavaScript moves to the front; call it "b1"',
    ],
    ["no blocks", () => add({}), "add: expected at least one block, got none"],
    [
      "branches of different shapes",
      () => names(chain({ s: add({ a: identity, b: conv(2, 1, same) }) })),
      "s: expected branches of add that fit together, but s.a gives 8x8x4, s.b gives 8x8x2.",
    ],
    [
      "a window larger than its input",
      () => names(chain({ a: chain({ pool: maxPool(9, 2, { padding: "valid" }) }) })),
      'a.pool: a 9x9 window does not fit into the 8x8 input with "valid" padding; expected at least 9x9',
    ],
    [
      "a convolution of a vector",
      () => {
        const x = tfl.input({ shape: [8] });
        return conv(2, 3, same)(x, "c");
      },
      "c: expected a feature map [h, w, c], got [8]",
    ],
    [
      "groups that do not divide",
      () => names(chain({ c: conv(6, 3, { ...same, groups: 3 }) })),
      "c: expected input channels and filters that 3 groups divide, got 4 and 6",
    ],
    [
      "padding below zero",
      () => names(conv(2, 3, { padding: -1 }), "c"),
      "padding: expected whole numbers from 0 on, got -1",
    ],
  ])("%s is refused in one sentence", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
