import type { Context } from "../../terminal/context.ts";
import { bytes, table } from "../../terminal/format.ts";

/** `convkit engine list`: the engines that are installed, and those that run here. */
export async function run({ out }: Context): Promise<void> {
  const { availableEngines, listEngines } = await import("@convkit/engine");
  const { listOpenvino } = await import("@convkit/engine/openvino");
  const [available, installed, predict] = await Promise.all([availableEngines(), listEngines(), listOpenvino()]);
  const rows = [
    ...installed.map((each) => [each.engine, each.tensorflow, each.platform, bytes(each.bytes), each.folder]),
    ...predict.map((each) => ["openvino", each.version, each.platform, bytes(each.bytes), each.folder]),
  ];
  const damaged = [
    ...installed.map((each) => ({
      ...each,
      command: `convkit engine install${each.engine === "gpu" ? " --gpu" : ""}`,
    })),
    ...predict.map((each) => ({ ...each, command: "convkit engine install --predict" })),
  ].flatMap(({ folder, damage, command }) =>
    damage === undefined ? [] : [`${folder} is damaged (${damage}): ${command} replaces it.`],
  );
  const text = [
    `Usable here, best first: ${available.join(", ")}.`,
    rows.length === 0
      ? "Nothing is installed: convkit engine install provides TensorFlow."
      : table(["engine", "version", "platform", "size", "folder"], rows, { left: 5 }),
    ...damaged,
  ];
  out.result({ available, installed, predict }, text.join("\n"));
}
