import { useEngine } from "@convkit/engine";
import { sgd, compile } from "@convkit/graph";
import { applyLogits, binaryCrossentropy, sparseCategoricalCrossentropy } from "@convkit/trainer";
import { withoutDrawing } from "@convkit/core";
import { setFormulaWeights } from "../src/drivers/formula-weights.ts";
import * as tf from "@tensorflow/tfjs-core";
import { convkitNetwork } from "../src/drivers/convkit-networks.ts";
import { networks } from "../src/networks.ts";
const [name, b, precision = "float32", mode = "train", kinds = ""] = process.argv.slice(2) as string[];
await useEngine("native", { threads: 2 });
const model = withoutDrawing(() => convkitNetwork(name as never));
const spec = (networks as any)[name!];
setFormulaWeights(model, spec.gain);
const shape = [Number(b), ...spec.input];
const data = new Float32Array(shape.reduce((a, c) => a * c, 1)).map((_, i) => ((i * 7919) % 255) / 255);
const x = { data, shape };
const y = { data: new Int32Array(Number(b)).map((_, i) => i % Math.max(2, spec.classes)), shape: [Number(b)] };
const opt = sgd({ learningRate: 0.001 });
const step = mode === "train"
  ? compile((x: tf.Tensor, y: tf.Tensor) => opt.minimize(() => tf.mean(spec.classes > 1 ? sparseCategoricalCrossentropy(y as tf.Tensor1D, applyLogits(model, x, { training: true })[0]!, { fromLogits: true }) : binaryCrossentropy(tf.reshape(tf.cast(y, "float32"), [-1, 1]), applyLogits(model, x, { training: true })[0]!, { fromLogits: true })) as tf.Scalar, true, model.trainableWeights.map((w) => w.read() as tf.Variable))!, { threads: 2, precision } as never)
  : compile((x: tf.Tensor) => model.apply(x, { training: false }) as tf.Tensor, { freeze: true, threads: 2, precision } as never);
const feeds = mode === "train" ? [x, y] : [x];
for (let i = 0; i < 3; i++) await (step as any)(...feeds);
const times: number[] = [];
const n = Number(process.env["N"] ?? 7);
const c0 = process.cpuUsage();
for (let i = 0; i < n; i++) { const t = performance.now(); await (step as any)(...feeds); times.push(performance.now() - t); }
const cpu = process.cpuUsage(c0);
times.sort((a, c) => a - c);
console.log("sys", (cpu.system/1000/n).toFixed(1), "rss", (process.resourceUsage().maxRSS/1024).toFixed(0)); console.log(name, b, precision, mode, "med", times[n >> 1]!.toFixed(1), "min", times[0]!.toFixed(1), "cpu", ((cpu.user + cpu.system) / 1000 / n).toFixed(1));
if (process.env["PROF"] !== "0") {
  await (step as any).profile(...feeds);
  const { ops, traceEvents } = await (step as any).profile(...feeds);
  const ts = traceEvents.map((e: any) => e.ts), te = traceEvents.map((e: any) => e.ts + e.dur);
  console.log("wall", ((Math.max(...te) - Math.min(...ts)) / 1000).toFixed(1), "sum", ops.reduce((a: number, o: any) => a + o.ms, 0).toFixed(1));
  for (const o of ops.slice(0, Number(process.env["TOP"] ?? 16))) console.log("  ", o.op.padEnd(32), String(o.count).padStart(4), o.ms.toFixed(2));
  if (kinds) {
    const d = (step as any).describe?.();
    for (const e of traceEvents.filter((e: any) => new RegExp(kinds).test(e.name)).sort((a: any, c: any) => c.dur - a.dur).slice(0, 25)) console.log("     ", e.name, (e.dur / 1000).toFixed(2), e.args.node);
  }
}
process.exit(0);
