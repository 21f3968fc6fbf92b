import { describe, expect, it } from "vitest";
import { type Answer, Jury } from "../src/measure/reference-vote.ts";
import { networks } from "../src/cases/networks.ts";
import type { SystemName } from "../src/cases/systems.ts";

const network = networks.lenet5;
const answer = (system: SystemName, loss: number | null, more: Partial<Answer> = {}): Answer => ({
  system,
  reply: { params: network.params, losses: [loss, loss] as number[] },
  half: false,
  isFull: true,
  ...more,
});

/** The last verdict on each system: whether it agrees. */
function verdicts(answers: readonly Answer[]): Partial<Record<SystemName, boolean>> {
  const jury = new Jury<SystemName>(network);
  const last: Partial<Record<SystemName, boolean>> = {};
  for (const each of answers)
    for (const [system, reason] of jury.hear(each.system, each)) last[system] = reason === undefined;
  return last;
}

describe("Jury", () => {
  it.each([
    [
      "the first is the reference of one against one",
      [
        ["keras", 1],
        ["convkit", 2],
      ],
      { keras: true, convkit: false },
    ],
    [
      "two outvote one",
      [
        ["keras", 1],
        ["torch", 2],
        ["tfjs-node", 2],
      ],
      { keras: false, torch: true, "tfjs-node": true },
    ],
    [
      "systems that share code have one voice",
      [
        ["keras", 1],
        ["torch", 2],
        ["onnxruntime", 2],
        ["tfjs-node", 1],
      ],
      { keras: true, torch: false, onnxruntime: false, "tfjs-node": true },
    ],
    [
      "two do not outvote two",
      [
        ["keras", 1],
        ["torch", 1],
        ["tfjs-node", 2],
        ["convkit", 2],
      ],
      { keras: true, torch: true, "tfjs-node": false, convkit: false },
    ],
    [
      "what is no number is no reference",
      [
        ["keras", null],
        ["torch", 2],
      ],
      { keras: false, torch: true },
    ],
  ] as const)("%s", (_, answers, expected) => {
    expect(verdicts(answers.map(([system, loss]) => answer(system, loss)))).toEqual(expected);
  });

  it("bfloat16 has no voice, and is judged when there is a reference", () => {
    const half = answer("convkit-bf16", 2, { half: true, isFull: false });
    expect(verdicts([half])).toEqual({ "convkit-bf16": true });
    expect(verdicts([half, answer("keras", 1)])).toEqual({ "convkit-bf16": false, keras: true });
    expect(verdicts([answer("keras", 1), answer("torch", 2), half])).toMatchObject({ keras: true, torch: false });
  });
});
