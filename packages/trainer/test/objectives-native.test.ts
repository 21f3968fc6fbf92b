import { engines } from "@convkit/testing";
import { describe } from "vitest";
import { testObjectives } from "./objectives.ts";

describe.skipIf(!engines.includes("native"))("losses and metrics equal Keras' and scikit-learn's", () => {
  testObjectives("native");
});
