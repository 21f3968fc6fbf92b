import { build, dense, globalAvgPool, network, unitPixels } from "@convkit/core";
import type { Architecture } from "@convkit/core";
import { expect, test } from "vitest";

const tiny: Architecture = {
  name: "tiny",
  paper: "none",
  input: [8, 8, 3],
  smallest: 1,
  classes: 2,
  params: 8,
  trainable: 8,
  macs: 6,
  preprocessing: unitPixels,
  body: globalAvgPool(),
  head: ({ classes }) => dense(classes),
};

test("a program that forgot the engine is told so in one sentence", () => {
  const sentence = "no engine is in use, so there is nothing to compute with. Write `await useEngine()` before";
  expect(() => network([3], dense(2))).toThrow(`network: ${sentence}`);
  expect(() => build(tiny)).toThrow(`tiny: ${sentence}`);
});
