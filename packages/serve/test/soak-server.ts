import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { serve } from "../src/index.ts";

/** The server of `soak.test.ts`, in a process of its own: `soak-server.ts MODEL RUNTIME`. SIGHUP reloads, SIGTERM closes. */
const [, , model, wanted] = process.argv;
const { backend } = await useEngine(engines[0] ?? "wasm");
const runtime = (wanted ?? (backend === "tensorflow" ? "tensorflow" : "wasm")) as "tensorflow";
const server = await serve({ colors: model! }, { port: 0, runtime, maxBatch: 8, drainMs: 100 });
process.on("SIGHUP", () => void server.reload().then(() => process.send!("reloaded")));
process.on("SIGTERM", () => void server.close().then(() => process.disconnect()));
process.send!(server.url);
