import cluster from "node:cluster";
import { useEngine } from "@convkit/engine";
import { serve, superviseServers } from "../src/index.ts";
import { colorModel } from "./color-model.ts";

/**
 * The server of `kills.test.ts`: two processes behind a third that resends. Told `"look"`, it sends their ids and its own resident
 * megabytes.
 */
if (cluster.isPrimary) {
  const server = await superviseServers(2, { resend: true, onLog: (entry) => void process.send!(entry) });
  process.on("message", (message) => {
    if (message !== "look") return;
    const ids = Object.values(cluster.workers ?? {}).map((worker) => worker!.process.pid);
    process.send!({ ids, megabytes: process.memoryUsage().rss / 1e6 });
  });
  process.send!({ url: server.url });
} else {
  await useEngine("wasm");
  await serve({ colors: colorModel() }, { port: 0, runtime: "wasm", maxBatch: 8, drainMs: 0 });
}
