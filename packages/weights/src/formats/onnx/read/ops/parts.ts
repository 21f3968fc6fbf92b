import { gather } from "./gather.ts";
import { concat, split } from "./joins.ts";
import { pad } from "./pad.ts";
import type { Read } from "./read.ts";
import { slice } from "./slices.ts";

export const parts: Readonly<Record<string, Read>> = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: pad,
};
