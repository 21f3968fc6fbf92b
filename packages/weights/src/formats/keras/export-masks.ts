import type * as tfl from "@tensorflow/tfjs-layers";
import { endsMask, hasOwnMasks, isSource, joinsAsKeras2, maskRule, takesStates } from "../../layers/masks.ts";
import type { KerasPart } from "./keras-part.ts";

type Layer = tfl.layers.Layer;

/** Which Keras reads the model of a file. */
export type KerasVersion = 2 | 3 | "both";

/** Whether a layer's first output has a mask; `given` says it of each input. */
export function keepsMask(layer: Layer, given: readonly boolean[]): boolean {
  if (isSource(layer)) return true;
  if (endsMask(layer) || !given.includes(true)) return false;
  const { returnSequences } = layer as { readonly returnSequences?: boolean };
  return follows(layer.getClassName(), given, { steps: returnSequences === true, any: joinsAsKeras2(layer) });
}

/** Layers that are not recurrent and compute with a mask in tfjs-layers, too. */
const usesMasks = new Set(["Softmax"]);

/**
 * What a layer of a model that tfjs-layers made would lose: tfjs-layers gives it the mask of an earlier layer, which does
 * not reach it in Keras. `wasMasked`: whether a layer before had a mask.
 */
export function strayMask(layer: Layer, given: readonly boolean[], wasMasked: boolean): string | undefined {
  const className = layer.getClassName();
  if (!wasMasked || hasOwnMasks(layer) || given[0] === true) return undefined;
  if (maskRule(className) !== "steps" && !usesMasks.has(className)) return undefined;
  return "tfjs-layers gives it the mask of an earlier layer, which ends before it in Keras";
}

/**
 * The parts that a layer is in Keras, with masks as they are here: where they would go on, an operation ends them. `refuse`
 * says what would become of them otherwise.
 */
export function withMasks(
  layer: Layer,
  parts: readonly KerasPart[],
  given: readonly boolean[],
  { version, refuse }: { readonly version: KerasVersion; readonly refuse: (problem: string) => never },
): readonly KerasPart[] {
  if (!given.includes(true)) return parts;
  if (given[0] === true && takesStates(layer, given.length)) {
    const isUsed = !hasOwnMasks(layer) || joinsAsKeras2(layer);
    if (isUsed !== (version === 2))
      return refuse(
        `it has first states and a mask, which it ${isUsed ? "uses" : "leaves unused"} here, and Keras ${version === 2 ? 2 : 3} ${isUsed ? "leaves it unused" : "uses it"}`,
      );
  }
  const values = [...given];
  const any = joinsAsKeras2(layer);
  for (const [index, { className, config, operation, takes }] of parts.entries()) {
    const taken = takes?.map((place) => values[place]!) ?? (index === 0 ? given : [values.at(-1)!]);
    values.push(operation === undefined && follows(className, taken, { steps: returnsSteps(config), any }));
  }
  const isKept = keepsMask(layer, given);
  if (values.at(-1) === true && !isKept && layer.weights.length === 0) return [...parts, endOfMask];
  const names = parts.map(({ className }) => className).join(", ");
  if (values.at(-1) !== isKept)
    return refuse(
      `its input has a mask, which ${isKept ? "ends" : "goes on"} at the layers that Keras has for it (${names})`,
    );
  const rule = maskRule(layer.getClassName());
  if ((rule !== "joins" && rule !== "concatenates") || version === "both" || any === (version === 2)) return parts;
  return refuse(
    `it joins the masks of its inputs as Keras ${version === 2 ? 3 : 2} does, and Keras ${version} joins them in another way`,
  );
}

/** Keras gives no mask on at an operation. This one changes no number. */
const endOfMask: KerasPart = {
  className: "Cast",
  config: {},
  operation: { module: "keras.src.ops.core", numbers: [], config: { dtype: "float32" } },
};

/** Whether a recurrent layer of Keras, or the one that a layer holds, returns all steps. */
function returnsSteps(config: KerasPart["config"]): boolean {
  const { layer } = config as { readonly layer?: { readonly config?: KerasPart["config"] } };
  return (layer?.config ?? config)["return_sequences"] === true;
}

/** `steps`: whether it returns all steps; `any`: whether it joins the masks where an input has none. */
function follows(
  className: string,
  given: readonly boolean[],
  { steps, any }: { readonly steps: boolean; readonly any: boolean },
): boolean {
  const rule = maskRule(className);
  if (rule === "first") return given[0] === true;
  if (rule === "joins") return any ? given.includes(true) : given.every(Boolean);
  if (rule === "steps") return steps && given[0] === true;
  return rule === "concatenates" && given.includes(true);
}
