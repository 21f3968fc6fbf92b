import { engines } from "@convkit/testing";
import { describe } from "vitest";
import { testArithmetic } from "./arithmetic.ts";

describe.skipIf(!engines.includes("native"))("trainings by arithmetic", () => {
  testArithmetic("native");
});
