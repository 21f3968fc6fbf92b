import type { Rewrite } from "../ir/rewrite.ts";

/** Elements from which a constant of equal elements becomes a Fill: it then costs nothing in the graph. */
export const FILL_FROM = 32;

/** Applied by the trace itself, wherever it makes a constant. */
export const uniformConstantAsFill: Rewrite = {
  name: "uniform-constant-as-fill",
  description: `a constant of ${FILL_FROM} equal elements or more is a \`Fill\``,
};
