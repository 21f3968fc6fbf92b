import { freeze, replaceHead, withoutDrawing } from "@convkit/core";
import { createModel, findArchitecture, isModelName, type ModelName } from "@convkit/models";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Context } from "../terminal/context.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { resolveModel, type ResolvedModel, weightsFile } from "../inputs/model-source.ts";

/**
 * The model that a training starts with: `trained`, or a network of the zoo, fresh or with `weights`. A model with another number
 * of classes gets a new head.
 */
export async function modelToTrain(
  { out }: Context,
  trained: ResolvedModel | undefined,
  name: string,
  options: ModelOptions & { readonly classes: number },
  seed: number,
): Promise<ResolvedModel> {
  const { classes, weights } = options;
  const resolved =
    trained ??
    (await (weights === undefined ? resolveModel(name, options, seed) : pretrained(name, options, weights, seed)));
  const { shape } = resolved.model.outputs[0]!;
  const outputs = shape.at(-1)!;
  if (shape.length === 2 && (outputs === classes || (outputs === 1 && classes === 2))) return resolved;
  out.note(`${name} has ${outputs} outputs; it gets a new head for ${classes} classes.`);
  return { ...resolved, model: replaceHead(resolved.model, classes, { seed }) };
}

/** Freezes all layers but the last one with weights. */
export function freezeAllButHead(model: LayersModel): void {
  const head = model.layers.findLastIndex((layer) => layer.weights.length > 0);
  freeze(model, model.layers[head - 1]?.name);
}

/** A network with weights that fit it as it is, or as it was published, or that lack its head. */
async function pretrained(
  name: string,
  options: ModelOptions & { readonly classes: number },
  weights: string,
  seed: number,
): Promise<ResolvedModel> {
  const { classes: _classes, ...published } = options;
  try {
    return await resolveModel(name, options, seed);
  } catch (misfit) {
    try {
      return await resolveModel(name, published, seed);
    } catch {
      const { weights: _weights, ...fresh } = options;
      const resolved = await resolveModel(name, fresh, seed);
      const { loadWeights } = await import("@convkit/weights");
      const bare = withoutDrawing(() => createModel(findArchitecture(name).name as ModelName, { includeTop: false }));
      const body = new Set(bare.layers.map((layer) => layer.name));
      bare.dispose();
      const heads = resolved.model.layers.filter((layer) => !body.has(layer.name)).map((layer) => layer.name);
      const { file, published } = await weightsFile(name, weights, true);
      try {
        const ignore = new RegExp(`^(${heads.map(literally).join("|")})$`);
        await loadWeights(resolved.model, file, { ignore, ...(published && { published }) });
      } catch {
        throw misfit;
      }
      return resolved;
    }
  }
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Outputs of a network for so many classes: a network with a single sigmoid output keeps it for two classes. */
export function outputsFor(name: string, classes: number): number {
  return isModelName(name) && findArchitecture(name).classes === 1 && classes === 2 ? 1 : classes;
}
