import { describe, expect, it } from "vitest";
import { philox, uniformStream } from "../src/random/philox.ts";
import type { Words4 } from "../src/random/philox.ts";

describe("philox", () => {
  // The known answers that the authors publish with their Random123 library (kat_vectors).
  const answers: [Words4, [number, number], Words4][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  it.each(answers)("of counter %o and key %o is %o", (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });

  it("gives uniform numbers", () => {
    const uniform = uniformStream(1, 2);
    const counts = new Int32Array(10);
    for (let draw = 0; draw < 100_000; draw++) counts[Math.floor(uniform() * 10)]!++;
    expect(Math.max(...counts.map((count) => Math.abs(count - 10_000)))).toBeLessThan(400);
  });
});
