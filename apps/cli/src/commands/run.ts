import type { Values } from "@convkit/graph";
import { type Predictor, predictor } from "@convkit/predict";
import { saveNpy } from "@convkit/weights";
import type { Context } from "../terminal/context.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { duration } from "../terminal/format.ts";
import { imageSize } from "../terminal/global-options.ts";
import { type NumpyArray, readNpy } from "../outputs/npy.ts";
import { type ModelOptions, resolveModel } from "../inputs/model-source.ts";
import { isSavedModel, openSavedModel } from "../inputs/saved-model.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

interface Options extends Omit<ModelOptions, "input"> {
  readonly input: readonly string[];
  readonly output: string;
  readonly batch?: number;
}

/** `convkit run`: raw arrays in and out, to compare with other frameworks. */
export async function run(context: Context, name: string, options: Options): Promise<void> {
  const { input, ...rest } = options;
  const size = input.find((each) => /^\d+x\d+x\d+$/.test(each));
  const file = input.find((each) => each !== size);
  if (file === undefined) throw new UsageError("convkit run needs --input with a .npy file.");
  const array = await readNpy(userPath(file));
  const shape = array.shape.length === 3 ? [1, ...array.shape] : array.shape;
  await engineInUse(context);
  const modelOptions = { ...rest, ...(size !== undefined && { input: imageSize(size) }) };
  const { forward, wanted } = await opened(context, name, modelOptions);
  if (shape.length !== wanted.length || wanted.some((each, axis) => axis > 0 && each !== null && each !== shape[axis]))
    throw new Error(
      `${file} has the shape [${array.shape.join(", ")}], but ${name} takes [${wanted.map((each) => each ?? "any").join(", ")}].`,
    );
  const began = performance.now();
  const output = await inBatches(forward, { shape, data: array.data }, options.batch ?? shape[0]!);
  const seconds = (performance.now() - began) / 1000;
  saveNpy(userPath(options.output), output);
  context.out.result(
    { shape: output.shape, seconds },
    `${options.output}: [${output.shape.join(", ")}] in ${duration(seconds)}`,
  );
}

async function opened(
  context: Context,
  name: string,
  options: ModelOptions,
): Promise<{ forward: Predictor; wanted: readonly (number | null)[] }> {
  if (isSavedModel(name)) {
    const forward = await openSavedModel(context, name);
    return { forward, wanted: forward.input };
  }
  const { model } = await resolveModel(name, options, context.options.seed);
  return { forward: predictor(model), wanted: model.inputs[0]!.shape };
}

async function inBatches(forward: Predictor, { shape, data }: NumpyArray, batch: number): Promise<NumpyArray> {
  const [count = 0, ...image] = shape;
  const pixels = image.reduce((product, each) => product * each, 1);
  const parts: Values[] = [];
  try {
    for (let from = 0; from < count; from += batch) {
      const size = Math.min(batch, count - from);
      parts.push(
        await forward.predict({ data: data.subarray(from * pixels, (from + size) * pixels), shape: [size, ...image] }),
      );
    }
  } finally {
    await forward.dispose();
  }
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part.data, offset);
    offset += part.data.length;
  }
  return { shape: [count, ...(parts[0]?.shape.slice(1) ?? [])], data: joined };
}
