import type { Context } from "../../terminal/context.ts";
import { flag, type ValuesOf } from "../../terminal/option.ts";
import type { CountingBar } from "../../terminal/progress.ts";
import { UsageError } from "../../terminal/usage-error.ts";

export const options = {
  gpu: flag("the CUDA build"),
  predict: flag("OpenVINO, which predicts faster, instead of TensorFlow"),
};

/** `convkit engine install`: installs a current TensorFlow, or OpenVINO. */
export async function run({ out, signal }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { gpu = false, predict = false } = given;
  if (gpu && predict) throw new UsageError("Give --gpu or --predict, not both: OpenVINO predicts on the CPU.");
  const { countingBar } = await import("../../terminal/progress.ts");
  let bar: CountingBar | undefined;
  let stage = "";
  const onProgress: OnProgress = ({ message, bytes: done, total }) => {
    if (message !== stage) {
      bar?.stop();
      bar = undefined;
      stage = message;
      out.note(message);
    }
    if (done === undefined || total === undefined) return;
    bar ??= countingBar(out, total, "bytes");
    bar.update(done);
  };
  try {
    if (predict) {
      const { installOpenvino } = await import("@convkit/engine/openvino");
      const installed = await installOpenvino({ signal, onProgress });
      out.result(installed, `OpenVINO ${installed.version} is ready in ${installed.folder}`);
    } else {
      const { installEngine } = await import("@convkit/engine");
      const engine = await installEngine({ gpu, signal, onProgress });
      out.result(engine, `The ${engine.engine} engine is ready: TensorFlow ${engine.tensorflow} in ${engine.folder}`);
    }
  } finally {
    bar?.stop();
  }
}

type OnProgress = (progress: { readonly message: string; readonly bytes?: number; readonly total?: number }) => void;
