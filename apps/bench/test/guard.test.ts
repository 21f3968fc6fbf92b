import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cases } from "../src/cases/cases.ts";
import { judge, judgeTwice } from "../src/commands/check.ts";
import { row } from "./rows.ts";

const name = "train/lenet5-b32";

describe("judge", () => {
  it.each([
    [10, 30, true],
    [10, 20, true],
    [10, 19, false],
  ])("%d ms against tfjs-node's %d ms with floor 2: %s", (ours, theirs, ok) => {
    const rows = [row(name, "convkit", ours), row(name, "tfjs-node", theirs)];
    expect(judge(rows, { [name]: 2 })).toMatchObject([{ case: name, ratio: expect.closeTo(theirs / ours), ok }]);
  });

  it("a system without a number does not hold its floor", () => {
    const rows = [row(name, "convkit", null, { note: "it broke" }), row(name, "tfjs-node", 10)];
    expect(judge(rows, { [name]: 2 })).toMatchObject([{ ratio: null, ok: false, note: "convkit failed it broke" }]);
  });
});

describe("judgeTwice", () => {
  const slow = [
    row(name, "convkit", 10),
    row(name, "tfjs-node", 15),
    row("train/b", "convkit", 1),
    row("train/b", "tfjs-node", 9),
  ];
  const fast = [row(name, "convkit", 10), row(name, "tfjs-node", 30)];
  const floors = { [name]: 2, "train/b": 2 };

  it.each([
    ["holds it then", fast, true, 3],
    ["falls again", slow.slice(0, 2), false, 1.5],
    ["was stopped", [], false, 1.5],
  ])("measures what fell under its floor once more: one that %s", async (_, second, ok, ratio) => {
    const asked: string[][] = [];
    const verdicts = await judgeTwice(slow, floors, async (names) => {
      asked.push([...names]);
      return second;
    });
    expect(asked).toEqual([[name]]);
    expect(verdicts).toMatchObject([
      { case: name, ok, ratio: expect.closeTo(ratio) },
      { case: "train/b", ok: true, ratio: expect.closeTo(9) },
    ]);
  });
});

it("the committed floors are of cases that both can do", () => {
  const floors = JSON.parse(readFileSync(new URL("../floors.json", import.meta.url), "utf8")) as Record<string, number>;
  for (const [guarded, floor] of Object.entries(floors)) {
    expect(cases.find((each) => each.name === guarded)?.systems).toEqual(
      expect.arrayContaining(["convkit", "tfjs-node"]),
    );
    expect(floor).toBeGreaterThan(1);
  }
});
