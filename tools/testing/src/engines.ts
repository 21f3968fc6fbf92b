import { availableEngines } from "@convkit/engine";
import type { EngineName } from "@convkit/engine";

const wanted = process.env["CONVKIT_ENGINES"]?.split(",");

/** The engines this machine has, for `describe.each(engines)`; `CONVKIT_ENGINES=wasm` narrows them. */
export const engines = (await availableEngines()).filter(
  (name): name is EngineName => wanted === undefined || wanted.includes(name),
);
