import { parentPort, type Transferable } from "node:worker_threads";
import { parseToPlain, type Unread } from "./parse.ts";

parentPort!.on("message", ({ id, unread }: { readonly id: number; readonly unread: Unread }) => {
  const read = parseToPlain(unread);
  const memory = "body" in read ? read.body.inputs.map(({ data }) => data.buffer as Transferable) : [];
  parentPort!.postMessage({ id, read }, [...new Set(memory)]);
});
