import type { Context } from "../terminal/context.ts";
import { grouped, table } from "../terminal/format.ts";
import { text, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { weightsPath } from "../inputs/weights-path.ts";

export const options = { state: text("<name>", "which weights of a PyTorch checkpoint, such as model_ema") };

/** `convkit weights`: lists the weights of a file; no engine is loaded. */
export async function run(context: Context, { state }: ValuesOf<typeof options>, name: string): Promise<void> {
  const path = weightsPath(name);
  if (path === undefined)
    throw new UsageError(`${name} holds no weights: give a file of weights, a model file or a run directory.`);
  const { listWeights } = await import("@convkit/weights");
  const { format, weights, notes } = await listWeights(path, { state });
  for (const note of notes) context.out.note(`${name} ${note}`);
  const total = weights.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  const rows = weights.map(({ name: own, shape, dtype, sum, crc32 }) => [
    own,
    dtype,
    shape.join("x"),
    sum === undefined ? "" : String(Number(sum.toPrecision(9))),
    crc32,
  ]);
  context.out.result(
    { format, total, weights },
    [
      table(["name", "type", "shape", "sum", "crc32"], rows, { left: 2 }),
      `${grouped(weights.length)} tensors, ${grouped(total)} numbers`,
    ].join("\n"),
  );
}
