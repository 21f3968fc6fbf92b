/*
 * serving.ts [--minutes M] [--requests N] [--killed N] [--runtime NAME] [--seed S]: a server under load and reloads for M minutes, whose
 * every answer must be right and whose memory must stay; then N mutated requests, each of which must get an answer or one sentence; then N
 * requests to a server whose processes are killed, each of which must get its own answer. They are the tests of @convkit/serve in another
 * size; 0 leaves one out.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    requests: { type: "string", default: "10000" },
    killed: { type: "string", default: "10000" },
    runtime: { type: "string", default: "openvino" },
    seed: { type: "string", default: "1" },
  },
});
const { minutes, requests, killed, runtime, seed } = values;
const finders = [
  { count: Number(minutes), file: "soak", env: { CONVKIT_SOAK_MINUTES: minutes, CONVKIT_SOAK_RUNTIME: runtime } },
  { count: Number(requests), file: "hostile", env: { CONVKIT_REQUESTS: requests, CONVKIT_SEED: seed } },
  { count: Number(killed), file: "kills", env: { CONVKIT_KILLED_REQUESTS: killed, CONVKIT_SEED: seed } },
];
const cwd = fileURLToPath(new URL("../../../packages/serve/", import.meta.url));
for (const { count, file, env } of finders) {
  if (!(count >= 0))
    throw new RangeError("serving.ts: expected numbers from 0 for --minutes, --requests and --killed.");
  if (count === 0) continue;
  const { status } = spawnSync("npx", ["vitest", "run", `test/${file}.test.ts`], {
    cwd,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  process.exitCode ||= status ?? 1;
}
