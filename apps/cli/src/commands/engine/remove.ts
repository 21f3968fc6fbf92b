import type { Context } from "../../terminal/context.ts";
import { flag, type ValuesOf } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";

export const options = { gpu: flag("the CUDA build"), predict: flag("OpenVINO instead of TensorFlow") };

/** `convkit engine remove`: removes what `convkit engine install` installed. */
export async function run({ out }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { gpu = false, predict = false } = given;
  if (gpu && predict) throw new UsageError("Give --gpu or --predict, not both.");
  if (predict) {
    const { removeOpenvino } = await import("@convkit/engine/openvino");
    const removed = await removeOpenvino();
    return out.result(
      { engine: "openvino", removed },
      removed.length === 0 ? "OpenVINO is not installed." : "Removed OpenVINO.",
    );
  }
  const { removeEngine } = await import("@convkit/engine");
  const removed = await removeEngine({ gpu });
  const engine = gpu ? "gpu" : "native";
  out.result(
    { engine, removed },
    removed.length === 0 ? `The ${engine} engine is not installed.` : `Removed the ${engine} engine.`,
  );
}
