import type { Hono } from "hono";
import type { ReloadReport } from "../models/registry.ts";
import { ServeError } from "../serve-error.ts";
import type { Environment, Services } from "./exchange.ts";
import { openApi } from "./openapi.ts";
import { page } from "./page.ts";
import { RequestError } from "./request-error.ts";

/** Metrics, reload, the description of the API and a page for people. */
export function addOperations(
  app: Hono<Environment>,
  { metrics, options, registry }: Services,
  hooks: { reload(): Promise<ReloadReport>; metrics(): Promise<string> },
): void {
  app.get("/metrics", async (exchange) =>
    exchange.body(await hooks.metrics(), 200, { "Content-Type": metrics.contentType }),
  );
  app.get("/openapi.json", (exchange) => exchange.json(openApi(options.token !== undefined)));
  app.get("/", (exchange) =>
    exchange.html(page(registry.all(), new URL(exchange.req.url).origin), 200, {
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }),
  );
  app.post("/reload", async (exchange) => {
    if (options.token === undefined)
      throw new RequestError(
        403,
        "Reloading over HTTP needs a server with a token: start it with one, or send SIGHUP.",
      );
    try {
      return exchange.json(await hooks.reload());
    } catch (error) {
      if (error instanceof ServeError) throw new RequestError(500, `${error.message} The models from before go on.`);
      throw error;
    }
  });
}
