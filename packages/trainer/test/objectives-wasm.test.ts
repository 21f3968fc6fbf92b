import { describe } from "vitest";
import { testObjectives } from "./objectives.ts";

describe("losses and metrics equal Keras' and scikit-learn's", () => testObjectives("wasm"));
