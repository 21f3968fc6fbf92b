import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
await useEngine("wasm", { threads: 1 });
const cases: [number, number, number, boolean, boolean][] = [
  [192, 128, 256, false, false],
  [128, 512, 16384, false, false], [128, 16384, 512, false, true], [16384, 512, 128, true, false], [131072, 16, 3, false, false], [131072, 16, 16, false, false]];
const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
for (const [m, n, k, ta, tb] of cases) {
  const a = tf.randomUniform(ta ? [k, m] : [m, k]); const b = tf.randomUniform(tb ? [n, k] : [k, n]);
  const run = () => tf.dispose(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, ta, tb));
  const reps = Math.max(3, Math.round(2e9 / (m * n * k)));
  for (let i = 0; i < 2; i++) run();
  let best = 1e9; 
  for (let r = 0; r < 3; r++) { const t0 = cpu(); for (let i = 0; i < reps; i++) run(); best = Math.min(best, (cpu() - t0) / reps); }
  console.log([m, n, k, ta, tb].join(" "), best.toFixed(3), "ms", (2e-6 * m * n * k / best).toFixed(1), "Gflop/s");
}
process.exit(0);
