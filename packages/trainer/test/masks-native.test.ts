import { engines } from "@convkit/testing";
import { describe } from "vitest";
import { testMasks } from "./masks.ts";

describe.skipIf(!engines.includes("native"))("losses and metrics of masks equal Keras' and scikit-learn's", () => {
  testMasks("native");
});
