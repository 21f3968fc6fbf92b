import type { Context } from "../../terminal/context.ts";
import { bytes, table } from "../../terminal/format.ts";

/** `convkit engine list`: the engines that are installed, and those that run here. */
export async function run({ out }: Context): Promise<void> {
  const { availableEngines, listEngines } = await import("@convkit/engine");
  const [available, installed] = await Promise.all([availableEngines(), listEngines()]);
  const rows = installed.map((each) => [each.engine, each.tensorflow, each.platform, bytes(each.bytes), each.folder]);
  const text = [
    `Usable here, best first: ${available.join(", ")}.`,
    rows.length === 0
      ? "Nothing is installed: convkit engine install provides TensorFlow."
      : table(["engine", "TensorFlow", "platform", "size", "folder"], rows, { left: 5 }),
  ];
  out.result({ available, installed }, text.join("\n"));
}
