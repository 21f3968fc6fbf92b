import type { Rewrite } from "../ir/rewrite.ts";

/** A constant of equal elements becomes a Fill from this size on: it then takes no space in the graph. */
export const FILL_FROM = 32;

/** The trace itself applies this rewrite, whenever it makes a constant. */
export const uniformConstantAsFill: Rewrite = {
  name: "uniform-constant-as-fill",
  description: `a constant of ${FILL_FROM} equal elements or more is a \`Fill\``,
};
