import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadSavedModel } from "@convkit/graph";
import type { LoadedModel } from "@convkit/graph";
import type { Predictor } from "@convkit/trainer";
import type { Context } from "./context.ts";
import { engineInUse } from "./engine-in-use.ts";
import { UsageError } from "./usage-error.ts";
import { userPath } from "./user-path.ts";

/** A SavedModel that is asked like a model of ours. */
export interface SavedNetwork extends Predictor {
  readonly loaded: LoadedModel;
  /** What its input takes; null is any size. */
  readonly input: readonly (number | null)[];
}

/** Whether `<model>` names a SavedModel folder. */
export function isSavedModel(name: string): boolean {
  return existsSync(join(userPath(name), "saved_model.pb"));
}

/** Loads a SavedModel of one input, which takes TensorFlow; of several outputs the first is given. */
export async function openSavedModel(context: Context, name: string): Promise<SavedNetwork> {
  const engine = await engineInUse(context);
  if (engine.backend !== "tensorflow")
    throw new UsageError(
      `A SavedModel needs TensorFlow, and the ${engine.name} engine has none: convkit engine install.`,
    );
  const loaded = await loadSavedModel(userPath(name));
  const [[inputName, input] = [], ...others] = Object.entries(loaded.signature.inputs);
  if (inputName === undefined || input === undefined || others.length > 0)
    throw new Error(`${name} takes ${others.length + 1} tensors, and this command gives one.`);
  return {
    loaded,
    input: (input.shape ?? []).map((size) => (size < 0 ? null : size)),
    async predict({ data, shape }) {
      const pixels = input.dtype === "float32" ? Float32Array.from(data) : data;
      const [output] = Object.values(await loaded({ [inputName]: { data: pixels, shape } }));
      return { data: Float32Array.from(output!.data), shape: output!.shape };
    },
    dispose: () => loaded.dispose(),
  };
}

/** A SavedModel's signature and variables. */
export function savedSummary(name: string, { signature, signatures, variables }: LoadedModel) {
  const rows = variables.map(({ name: variable, dtype, shape }) => ({ name: variable, dtype, shape }));
  const total = rows.reduce((sum, { shape = [] }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return { name, params: { total }, signature, signatures, variables: rows };
}
