// What AWS Lambda does with the function, on this machine: a cold start, a warm call, and the limit on its size.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import { packageBytes } from "./size.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

// Stands for a trained model. The function itself never loads TensorFlow.js.
await useEngine("wasm");
await saveModel(createModel("lenet5", { seed: 1 }), `${here}model.onnx`, {
  metadata: { preprocessing: { scale: 1 / 255 } },
});

const program = `
  const start = performance.now();
  const { handler } = await import("./handler.mjs");
  const event = { pixels: Array.from({ length: 784 }, (_, i) => i % 256) };
  const { scores } = await handler(event);
  const cold = performance.now() - start;
  const again = performance.now();
  await handler(event);
  const warm = performance.now() - again;
  const memory = process.memoryUsage().rss / 1e6;
  console.log(JSON.stringify({ scores, cold, warm, memory }));
  process.exit(0);
`;
const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: here });
const { scores, cold, warm, memory } = JSON.parse(output);
const sum = scores.reduce((a, b) => a + b);
console.log(`${scores.length} probabilities, whose sum is ${sum.toFixed(3)}`);
console.log(`cold start ${cold.toFixed(0)} ms, warm call ${warm.toFixed(2)} ms, ${memory.toFixed(0)} MB of memory`);
const megabytes = packageBytes(here) / 1e6;
console.log(`${megabytes.toFixed(0)} MB of packages: ${megabytes < 250 ? "fits" : "does not fit"} into 250 MB`);
