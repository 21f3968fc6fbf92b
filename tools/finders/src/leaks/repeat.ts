import { parseArgs } from "node:util";
import { type EngineName, useEngine } from "@convkit/engine";
import { repeated } from "./cases.ts";
import { countSessions, growthOf } from "./measure.ts";
import { planted } from "./planted.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string", default: "native" },
    short: { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
  },
});
await useEngine(values.engine as EngineName);
if (values.engine === "native") countSessions();
for (const each of values.planted ? planted : repeated) {
  if (positionals.length > 0 && !positionals.includes(each.name)) continue;
  if (each.isCompiled === true && values.engine === "wasm") continue;
  // The test command has the engines alone.
  if (values.short && / on (openvino|onnxruntime)$/.test(each.name)) continue;
  const growth = await growthOf(each, values.short ? each.times.short : each.times.long);
  if (!growth.isFlat) process.exitCode = 1;
  process.stdout.write(`${JSON.stringify(growth)}\n`);
}
process.exit();
