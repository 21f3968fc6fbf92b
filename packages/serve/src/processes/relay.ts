import { Agent, request as ask, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { clientSignal } from "../http/client-signal.ts";
import type { Environment, Exchange } from "../http/exchange.ts";
import { listen, type Listening } from "../http/listen.ts";
import { createBodyReader } from "../http/read-body.ts";
import { busy, RequestError } from "../http/request-error.ts";
import { checkToken } from "../http/token.ts";
import type { WholeOptions } from "../serve-options.ts";
import { createWaiters } from "./waiters.ts";

/** The options of the servers that the relay needs itself. */
export type RelayOptions = Pick<WholeOptions, "host" | "port" | "token" | "timeoutMs" | "bodyLimit" | "drainMs">;

/** Takes the requests of clients and keeps each until one of several servers has answered it. */
export interface Relay {
  /** Where clients ask; begins to listen at the first call. */
  listen(): Promise<string>;
  /** Sends requests to a server at this port of the machine, too, until the returned function is called: it may still answer what it has. */
  add(port: number): () => void;
  /** Says for `drainMs` that it is not ready, then answers what was accepted. */
  close(): Promise<void>;
}

/** A server behind the relay, with the number of requests that it has. */
interface Target {
  readonly port: number;
  readonly agent: Agent;
  inside: number;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** A request whose body was read. */
interface Kept {
  /** Whether it goes to one server only. */
  readonly isOnce: boolean;
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** A request that ended this many servers goes to no further one. */
const mostTries = 2;

/**
 * A request whose server ends before its answer is whole goes to another one, since a prediction may be made twice. `/reload` alone does
 * not.
 */
export function createRelay(options: RelayOptions): Relay {
  const { token, timeoutMs, bodyLimit, drainMs } = options;
  const targets = new Set<Target>();
  const bodies = createBodyReader(bodyLimit);
  let state: "open" | "draining" | "closed" = "open";
  const waiters = createWaiters();
  let listening: Promise<Listening> | undefined;

  /** The server with the fewest requests, if possible not one that ended this request; where there is none, the next that is ready. */
  async function chosen(tried: ReadonlySet<Target>, signal: AbortSignal): Promise<Target> {
    while (targets.size === 0) {
      // No process is started any more.
      if (state !== "open") throw busy("The server is closing: try again later.");
      await waiters.wait(signal);
    }
    const others = [...targets].filter((each) => !tried.has(each));
    return (others.length > 0 ? others : [...targets]).reduce((least, each) =>
      each.inside < least.inside ? each : least,
    );
  }

  async function answered(kept: Kept, signal: AbortSignal): Promise<Answer> {
    const tries = kept.isOnce ? 1 : mostTries;
    const tried = new Set<Target>();
    for (let turn = 1; ; turn++) {
      const target = await chosen(tried, signal);
      target.inside++;
      try {
        return await exchanged(kept, target, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason as Error;
        tried.add(target);
        if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") {
          // Its process is not known yet to have ended, and never had the request.
          targets.delete(target);
          turn--;
        } else if (turn >= tries) throw busy("The process of the server that had this request ended: try again later.");
      } finally {
        target.inside--;
      }
    }
  }

  async function relayed(exchange: Exchange, isOnce: boolean): Promise<Response> {
    const { incoming, outgoing } = exchange.env;
    const path = incoming.url ?? "/";
    if (token !== undefined && !exchange.req.path.startsWith("/v2/health/"))
      checkToken(incoming.headers.authorization, token);
    if (state !== "open" && exchange.req.path === "/v2/health/ready") return exchange.json({ ready: false }, 503);
    const { signal, end } = clientSignal(outgoing, timeoutMs);
    try {
      const { bytes, release } = await bodies.read(incoming, signal);
      try {
        const { "content-encoding": _, ...given } = forwarded(incoming.headers);
        // The body was decompressed when it was read.
        const headers = { ...given, "content-length": bytes.length };
        const kept: Kept = { isOnce, method: incoming.method ?? "GET", path, headers, body: bytes };
        const { status, headers: own, body } = await answered(kept, signal);
        if (outgoing.closed) return RESPONSE_ALREADY_SENT;
        outgoing.once("close", bodies.hold(body.length));
        outgoing.writeHead(status, { ...own, ...(state !== "open" && { Connection: "close" }) });
        outgoing.end(body);
        return RESPONSE_ALREADY_SENT;
      } finally {
        release();
      }
    } finally {
      end();
    }
  }

  // Not strict, as the servers' own routes are.
  const app = new Hono<Environment>({ strict: false });
  app.all("/reload", (exchange) => relayed(exchange, true));
  app.all("*", (exchange) => relayed(exchange, false));
  app.onError((error, exchange) => {
    const { status, message, headers } =
      error instanceof RequestError ? error : new RequestError(500, "The server failed to answer.");
    return exchange.json({ error: message }, status as ContentfulStatusCode, headers);
  });

  return {
    listen: async () => (await (listening ??= listen(app, options))).url,
    add(port) {
      const target: Target = { port, agent: new Agent({ keepAlive: true }), inside: 0 };
      targets.add(target);
      waiters.wake();
      return () => void targets.delete(target);
    },
    async close() {
      state = "draining";
      waiters.wake();
      await after(drainMs);
      state = "closed";
      await (await listening?.catch(() => undefined))?.close();
    },
  };
}

/** One request to one server, and its whole answer. */
async function exchanged(kept: Kept, { port, agent }: Target, signal: AbortSignal): Promise<Answer> {
  if (kept.isOnce) return asked(kept, port, false, signal);
  try {
    return await asked(kept, port, agent, signal);
  } catch (error) {
    if (!(error instanceof LostConnection)) throw error;
    // A server that still listens had closed an idle connection just then, and never saw the request.
    return await asked(kept, port, false, signal).catch((second: NodeJS.ErrnoException) => {
      throw second.code === "ECONNREFUSED" ? (error.cause as Error) : second;
    });
  }
}

/** A connection that had been used before ended before the first byte of an answer. */
class LostConnection extends Error {}

function asked(
  { method, path, headers, body }: Kept,
  port: number,
  agent: Agent | false,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = ask({ host: "127.0.0.1", port, method, path, headers, agent, signal });
    request.once("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
      incoming.on("error", reject);
      incoming.once("end", () => {
        const answer = Buffer.concat(chunks);
        // The answer to HEAD has no body, and the length of GET's.
        const own = { ...forwarded(incoming.headers), ...(method !== "HEAD" && { "content-length": answer.length }) };
        resolve({ status: incoming.statusCode!, headers: own, body: answer });
      });
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const isLost = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(isLost ? new LostConnection(error.message, { cause: error }) : error);
    });
    request.end(body);
  });
}

/** Headers of one connection (RFC 9110, 7.6.1), which are not for the next one. */
const ownHeaders = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
];

/** Without the headers of the connection, and those that `Connection` names. */
function forwarded(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const own = new Set([...ownHeaders, ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name)));
}
