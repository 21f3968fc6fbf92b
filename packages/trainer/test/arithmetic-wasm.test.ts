import { describe } from "vitest";
import { testArithmetic } from "./arithmetic.ts";

describe("trainings by arithmetic", () => testArithmetic("wasm"));
