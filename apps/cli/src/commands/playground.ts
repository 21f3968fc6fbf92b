import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { playgroundServer } from "../outputs/playground-server.ts";
import type { Context } from "../terminal/context.ts";
import { type ValuesOf, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const options = {
  port: whole(0, "<n>", "of the page on this machine; 0 takes a free one (default: 8502)"),
};

/** `convkit playground`: serves the page of `@convkit/playground` to this machine alone, until Ctrl-C. */
export async function run({ out, signal }: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { port = 8502 } = given;
  if (port > 65_535) throw new UsageError(`--port takes a number up to 65535, not ${port}.`);
  const server = playgroundServer({ signal, onNote: (line) => out.note(line) });
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") throw error;
      throw new UsageError(
        `Port ${port} is in use by another program: give another one with --port, or 0 for a free one.`,
      );
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    out.result({ url }, `The playground is at ${url} until Ctrl-C.`);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
