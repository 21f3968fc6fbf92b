import { setMaxListeners } from "node:events";
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { RequestError } from "./request-error.ts";

/** A signal that aborts once the client has left (499), or after the time for an answer (504); `end` stops the clock. */
export function clientSignal(
  outgoing: ServerResponse | Http2ServerResponse,
  timeoutMs: number,
): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  // Each image and each part of a large request listens.
  setMaxListeners(0, controller.signal);
  const onClose = (): void => {
    if (!outgoing.writableFinished) controller.abort(new RequestError(499, "The client left."));
  };
  outgoing.once("close", onClose);
  const onLate = (): void =>
    controller.abort(
      new RequestError(504, `The answer took more than ${timeoutMs} milliseconds.`, { Connection: "close" }),
    );
  const timer = setTimeout(onLate, timeoutMs);
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}
