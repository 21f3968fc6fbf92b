import type { Context } from "../../terminal/context.ts";
import { flag, type ValuesOf } from "../../terminal/option.ts";
import type { CountingBar } from "../../terminal/progress.ts";

export const options = { gpu: flag("the CUDA build") };

/** `convkit engine install`: installs a current TensorFlow. */
export async function run({ out, signal }: Context, { gpu = false }: ValuesOf<typeof options>): Promise<void> {
  const { installEngine } = await import("@convkit/engine");
  const { countingBar } = await import("../../terminal/progress.ts");
  let bar: CountingBar | undefined;
  let stage = "";
  const engine = await installEngine({
    gpu,
    signal,
    onProgress({ message, bytes: done, total }) {
      if (message !== stage) {
        bar?.stop();
        bar = undefined;
        stage = message;
        out.note(message);
      }
      if (done === undefined || total === undefined) return;
      bar ??= countingBar(out, total, "bytes");
      bar.update(done);
    },
  }).finally(() => bar?.stop());
  out.result(engine, `The ${engine.engine} engine is ready: TensorFlow ${engine.tensorflow} in ${engine.folder}`);
}
