import { isConvkitError } from "@convkit/errors";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { addClassify } from "../protocols/classify.ts";
import { addOpenInference } from "../protocols/open-inference.ts";
import { addTensorflowServing } from "../protocols/tensorflow-serving.ts";
import type { ReloadReport } from "../models/registry.ts";
import { clientSignal } from "./client-signal.ts";
import { addOperations } from "./operations.ts";
import type { Environment, Exchange, Services } from "./exchange.ts";
import { RequestError } from "./request-error.ts";
import { checkToken } from "./token.ts";

/** What the application needs besides the services. */
export interface AppHooks {
  reload(): Promise<ReloadReport>;
  /** Prometheus' text. */
  metrics(): Promise<string>;
}

/** All routes, with the limits, the token, the log and the metrics around them. */
export function createApp(services: Services, hooks: AppHooks): Hono<Environment> {
  const app = new Hono<Environment>({ strict: false });
  const { options } = services;
  app.use(async (exchange, next) => observed(exchange, services, next));
  app.use(async (exchange, next) => {
    if (options.token !== undefined && !exchange.req.path.startsWith("/v2/health/"))
      checkToken(exchange.req.header("authorization"), options.token);
    await next();
  });
  addTensorflowServing(app, services);
  addOpenInference(app, services);
  addClassify(app, services);
  addOperations(app, services, hooks);
  app.notFound((exchange) => {
    const other = exchange.req.method === "GET" || exchange.req.method === "HEAD" ? "POST" : "GET";
    const isOther = app.router.match(other, exchange.req.path)[0].some(([[, route]]) => route.method === other);
    const asked = `${exchange.req.method} ${exchange.req.path}`.slice(0, 120);
    return isOther
      ? exchange.json({ error: `${asked}: expected the method ${other}.` }, 405, { Allow: other })
      : exchange.json({ error: `There is nothing at ${asked}: /openapi.json lists what there is.` }, 404);
  });
  app.onError((error, exchange) => failed(error, exchange, services));
  return app;
}

/** Bounds the time of a request, then counts and logs it. */
async function observed(exchange: Exchange, services: Services, next: () => Promise<void>): Promise<void> {
  const start = performance.now();
  const { metrics, options } = services;
  const { signal, end } = clientSignal(exchange.env.outgoing, options.timeoutMs);
  const facts = { protocol: "other" };
  exchange.set("facts", facts);
  exchange.set("signal", signal);
  try {
    await next();
  } finally {
    end();
    if (services.isClosing() && !exchange.env.outgoing.headersSent) exchange.header("Connection", "close");
    const { status } = exchange.res;
    const ms = performance.now() - start;
    metrics.onRequest({ model: "", ...facts, status, ms });
    const { method, path } = exchange.req;
    const level = status >= 500 && status !== 503 ? "error" : "info";
    const reason = exchange.error === undefined ? {} : { error: exchange.error.message };
    options.onLog?.({
      level,
      event: "request",
      method,
      path,
      ...facts,
      status,
      ms: Math.round(1000 * ms) / 1000,
      ...reason,
    });
  }
}

function failed(error: Error, exchange: Exchange, { options }: Services): Response {
  if (error instanceof RequestError)
    return exchange.json({ error: error.message }, error.status as ContentfulStatusCode, error.headers);
  // Images that cannot be decoded, and tensors that the model refuses.
  if (isConvkitError(error) && (error.code === "CONVKIT_DATA" || error.code === "CONVKIT_OPTION"))
    return exchange.json({ error: error.message }, 400);
  options.onLog?.({ level: "error", event: "failure", error: error.message, stack: error.stack });
  return exchange.json({ error: "The server failed to answer: its log has the reason." }, 500);
}
