import { parentPort, type Transferable } from "node:worker_threads";
import { type Reply, replyTo, type Work } from "./work.ts";

parentPort!.on("message", ({ id, work }: { readonly id: number; readonly work: Work }) => {
  const reply = replyTo(work);
  parentPort!.postMessage({ id, reply }, [...new Set(memoryOf(reply))]);
});

/** What moves to the main thread instead of being copied. */
function memoryOf(reply: Reply): Transferable[] {
  if (!("done" in reply)) return [];
  if (reply.done instanceof Uint8Array) return [reply.done.buffer];
  return reply.done.inputs.flatMap((input) =>
    "images" in input ? input.images.map(({ buffer }) => buffer as ArrayBuffer) : [input.data.buffer as ArrayBuffer],
  );
}
