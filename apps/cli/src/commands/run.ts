import type { Context } from "../terminal/context.ts";
import { duration } from "../terminal/format.ts";
import { required, text, type ValuesOf, whole } from "../terminal/option.ts";
import { imageSize } from "../terminal/parsers.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { architectureOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...architectureOptions,
  input: required({
    value: "<file.npy>",
    about: "[n, h, w, c] or [h, w, c]; a second time, as HxWxC, the image size",
    read: (value: string, before: readonly string[] = []): readonly string[] => [...before, value],
  }),
  output: required(text("<file.npy>", "file to write the outputs to")),
  batch: whole(1, "<n>", "images at once"),
};

/** `convkit run`: raw arrays in and out, to compare with other frameworks. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { saveNpy } = await import("@convkit/weights");
  const { openForward, runInBatches } = await import("../inference/forward.ts");
  const { readNpy } = await import("../outputs/npy.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { input, output: target, batch, ...modelGiven } = given;
  const size = input.find((each) => /^\d+x\d+x\d+$/.test(each));
  const file = input.find((each) => each !== size);
  if (file === undefined) throw new UsageError("convkit run needs --input with a .npy file.");
  const array = await readNpy(userPath(file));
  const shape = array.shape.length === 3 ? [1, ...array.shape] : array.shape;
  await engineInUse(context);
  const { forward, wanted } = await openForward(context, name, {
    ...modelGiven,
    input: size === undefined ? undefined : imageSize(size),
  });
  if (shape.length !== wanted.length || wanted.some((side, axis) => axis > 0 && side !== null && side !== shape[axis]))
    throw new CliError(
      `${file} has the shape [${array.shape.join(", ")}], but ${name} takes [${wanted.map((side) => side ?? "any").join(", ")}].`,
    );
  const began = performance.now();
  const output = await runInBatches(forward, { shape, data: array.data }, batch ?? shape[0]!);
  const seconds = (performance.now() - began) / 1000;
  await saveNpy(userPath(target), output);
  context.out.result(
    { shape: output.shape, seconds },
    `${target}: [${output.shape.join(", ")}] in ${duration(seconds)}`,
  );
}
