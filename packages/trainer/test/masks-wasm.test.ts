import { describe } from "vitest";
import { testMasks } from "./masks.ts";

describe("losses and metrics of masks equal Keras' and scikit-learn's", () => testMasks("wasm"));
