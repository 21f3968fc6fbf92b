import { availableEngines, installEngine, listEngines as installedEngines, removeEngine } from "@convkit/engine";
import type { Context } from "../terminal/context.ts";
import { bytes, table } from "../terminal/format.ts";
import { countingBar } from "../terminal/progress.ts";

interface Options {
  readonly gpu?: boolean;
}

/** `convkit engine list`: what is installed, and what runs here. */
export async function listEngines({ out }: Context): Promise<void> {
  const [available, installed] = await Promise.all([availableEngines(), installedEngines()]);
  const rows = installed.map((each) => [each.engine, each.tensorflow, each.platform, bytes(each.bytes), each.folder]);
  const text = [
    `Usable here, best first: ${available.join(", ")}.`,
    rows.length === 0
      ? "Nothing is installed: convkit engine install provides TensorFlow."
      : table(["engine", "TensorFlow", "platform", "size", "folder"], rows, { left: 5 }),
  ];
  out.result({ available, installed }, text.join("\n"));
}

/** `convkit engine install`: provides a current TensorFlow. */
export async function install({ out, signal }: Context, { gpu = false }: Options): Promise<void> {
  let bar: ReturnType<typeof countingBar> | undefined;
  let told = "";
  const engine = await installEngine({
    gpu,
    signal,
    onProgress({ message, bytes: done, total }) {
      if (message !== told) {
        bar?.stop();
        bar = undefined;
        told = message;
        out.note(message);
      }
      if (done === undefined || total === undefined) return;
      bar ??= countingBar(out, total, "bytes");
      bar.update(done);
    },
  }).finally(() => bar?.stop());
  out.result(engine, `The ${engine.engine} engine is ready: TensorFlow ${engine.tensorflow} in ${engine.folder}`);
}

/** `convkit engine remove`: gives the disk back. */
export async function remove({ out }: Context, { gpu = false }: Options): Promise<void> {
  const removed = await removeEngine({ gpu });
  out.result({ engine: gpu ? "gpu" : "native", removed }, `Removed the ${gpu ? "gpu" : "native"} engine.`);
}
