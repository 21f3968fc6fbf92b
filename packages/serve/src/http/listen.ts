import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { ServeError } from "../serve-error.ts";
import type { WholeOptions } from "../serve-options.ts";
import type { Environment } from "./exchange.ts";

interface ListenOptions {
  /** Whether a process of a cluster has the port for itself; false by default. */
  readonly exclusive?: boolean;
}

/** A server that listens. */
export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Stops to accept; resolves once every request is answered. */
  close(): Promise<void>;
}

/**
 * Listens with the limits of slow clients: heads, bodies and silent connections. The processes of a cluster share the port unless
 * `exclusive` says otherwise.
 */
export async function listen(
  app: Hono<Environment>,
  { host, port, timeoutMs, exclusive = false }: Pick<WholeOptions, "host" | "port" | "timeoutMs"> & ListenOptions,
): Promise<Listening> {
  const server = createServer(
    {
      // Node answers 408 and closes.
      headersTimeout: Math.min(timeoutMs, 10_000),
      requestTimeout: timeoutMs,
      connectionsCheckingInterval: Math.min(timeoutMs, 1000),
      keepAliveTimeout: 15_000,
    },
    getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], { overrideGlobalObjects: false }),
  );
  // A client that does not take its answer, or takes it byte by byte.
  server.on("request", (incoming, outgoing) => {
    const timer = setTimeout(() => incoming.socket.destroy(), 2 * timeoutMs);
    outgoing.once("close", () => clearTimeout(timer));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new ServeError(
          `Cannot listen at ${host}:${port}: ${error.code === "EADDRINUSE" ? "another program does already; choose another port" : error.message}.`,
          { cause: error },
        ),
      ),
    );
    server.listen({ port, host, exclusive }, resolve);
  });
  const address = server.address() as AddressInfo;
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return { url: `http://${shown}:${address.port}`, port: address.port, close: () => closed(server, timeoutMs) };
}

async function closed(server: Server, timeoutMs: number): Promise<void> {
  const end = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs + 1000);
  // A connection whose last answer was kept alive becomes idle later.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await end;
  clearTimeout(timer);
  clearInterval(idle);
}
