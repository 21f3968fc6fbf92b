import { basicBlock, inception, squeezeExcite } from "@convkit/blocks";
import { chain, network } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { expect, it } from "vitest";

it("names blocks in a list by what they are", async () => {
  await useEngine("wasm");
  const filters = [4, 2, 4, 2, 4, 4] as const;
  const blocks = [inception(filters), inception(filters), basicBlock(16, { padding: 1 }), squeezeExcite(4)];
  const model = network([8, 8, 3], chain(blocks));
  const parts = new Set(model.layers.slice(1).map(({ name }) => name.split(".")[0]));
  expect([...parts]).toEqual(["inception", "inception_1", "basic_block", "squeeze_excite"]);
});
