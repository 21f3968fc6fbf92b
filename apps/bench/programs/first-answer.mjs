// One prediction in a process of its own, as a user's program makes it: node first-answer.mjs SYSTEM FILE SHAPE.
import { readFileSync } from "node:fs";

const [, , system, file, text] = process.argv;
const shape = text.split("x").map(Number);
const data = new Float32Array(shape.reduce((a, b) => a * b)).map((_, i) => (i % 255) / 255);

async function firstAnswer() {
  if (system === "onnxruntime-node") {
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
    const outputs = await session.run({ [session.inputNames[0]]: new Tensor("float32", data, shape) });
    return outputs[session.outputNames[0]].data;
  }
  const { predictor } = await import("@convkit/predict");
  const forward = predictor(file, { runtime: system, preprocessing: {} });
  return (await forward.predict({ data, shape })).data;
}

/** Kilobytes: what the process itself had at most, not what its parent had before it started. */
function peak() {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

const output = await firstAnswer();
const { user, system: kernel } = process.cpuUsage();
process.stdout.write(
  `${JSON.stringify({ output: Array.from(output.slice(0, 10)), peak: peak(), cpu: (user + kernel) / 1000 })}\n`,
);
process.exit(0);
