import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
const threads = process.env.T ? Number(process.env.T) : undefined;
const eng = await useEngine("wasm", threads ? { threads } : {});
const name = (process.env.NET ?? "inception-cifar10") as never;
const batch = Number(process.env.B ?? 128);
const model = createModel(name, { dropout: 0 });
const [, h, w, c] = model.inputs[0]!.shape as number[];
const classes = model.outputs[0]!.shape[1]!;
const x = tf.randomUniform([batch, h!, w!, c!]);
const y = tf.oneHot(tf.tensor1d(Array.from({ length: batch }, (_, i) => i % classes), "int32"), classes);
const vars = model.trainableWeights.map((v) => v.read() as tf.Variable);
const opt = tf.train.sgd(0.01);
const step = () => { const t0 = performance.now(); const v = tf.tidy(() => { const l = opt.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor) as tf.Scalar, true, vars)!; return l.dataSync()[0]; }); return performance.now() - t0; };
for (let i = 0; i < 5; i++) step();
const ts = Array.from({ length: 15 }, step).sort((a, b) => a - b);
console.log(JSON.stringify(eng), "median", ts[7]!.toFixed(1), "min", ts[0]!.toFixed(1));
const acc = new Map<string, { n: number; ms: number; det: Map<string, number> }>();
let depth = 0;
for (const k of tf.getKernelsForBackend("wasm")) {
  const f = k.kernelFunc;
  tf.unregisterKernel(k.kernelName, "wasm");
  tf.registerKernel({ ...k, kernelFunc: (a) => { depth++; const t0 = performance.now(); try { return f(a); } finally { depth--; if (depth === 0) { const d = performance.now() - t0; const e = acc.get(k.kernelName) ?? { n: 0, ms: 0, det: new Map() }; e.n++; e.ms += d; const key = Object.values(a.inputs).map((t: any) => t ? `[${t.shape}]` : "").join(" "); e.det.set(key, (e.det.get(key) ?? 0) + d); acc.set(k.kernelName, e); } } } });
}
const R = 10; let tot = 0;
for (let i = 0; i < R; i++) tot += step();
console.log("profiled", (tot / R).toFixed(1));
for (const [n, { n: cnt, ms, det }] of [...acc].sort((a, b) => b[1].ms - a[1].ms).slice(0, 16)) { console.log(n.padEnd(26), String(cnt / R).padStart(5), (ms / R).toFixed(2)); for (const [k, d] of [...det].sort((a, b) => b[1] - a[1]).slice(0, 8)) if (d / R > 1) console.log("      ", (d / R).toFixed(2), k); }
process.exit(0);
