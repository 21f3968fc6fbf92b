import { setTimeout as after } from "node:timers/promises";
import { OptionError, shown } from "@convkit/errors";
import { refusedRuntimes } from "@convkit/predict/internal";
import { createApp } from "./http/app.ts";
import type { Services } from "./http/exchange.ts";
import { listen } from "./http/listen.ts";
import { createBodyReader } from "./http/read-body.ts";
import { createJsonThreads } from "./json/json-threads.ts";
import { createMetrics } from "./metrics.ts";
import type { ModelServer, ServedModelInfo } from "./model-server.ts";
import { loadModelAt } from "./models/load-model.ts";
import type { ModelSource } from "./models/model-source.ts";
import { createRegistry, type ReloadReport } from "./models/registry.ts";
import { openServedModel } from "./models/served-model.ts";
import { joinSupervisor } from "./processes/member.ts";
import { ServeError } from "./serve-error.ts";
import { type ServeOptions, wholeOptions } from "./serve-options.ts";

/**
 * Serves models over HTTP: `await serve({ digits: "runs/digits" })`. The keys are the names in the addresses. Resolves once every
 * model is warm; until then `/v2/health/ready` answers 503.
 *
 * Throws an `OptionError` for unknown options and names, a `ServeError` for a model that cannot be read and for an address that is taken.
 */
export async function serve(
  sources: Readonly<Record<string, ModelSource>>,
  options: ServeOptions = {},
): Promise<ModelServer> {
  checkSources(sources);
  const whole = wholeOptions(options);
  checkLabels(sources, whole.labels);
  const { load = loadModelAt, onLog, drainMs } = whole;
  const metrics = createMetrics();
  const json = createJsonThreads();
  const registry = createRegistry({
    sources,
    labels: whole.labels,
    load,
    open: async (model, name, version, isOwn) => {
      const served = await openServedModel(model, { name, version, options: whole, metrics, isOwn });
      for (const text of refusedRuntimes(served.description))
        onLog?.({ level: "warning", event: "runtime refused", model: name, version, text });
      return served;
    },
  });
  let closing: Promise<void> | undefined;
  const close = (drain = drainMs): Promise<void> => (closing ??= end(drain));
  let state: "loading" | "ready" | "closing" = "loading";
  const services: Services = {
    registry,
    json,
    bodies: createBodyReader(whole.bodyLimit),
    metrics,
    options: whole,
    isReady: () => state === "ready",
    isClosing: () => state === "closing",
  };
  const reload = async (): Promise<ReloadReport> => {
    if (state === "closing") throw new OptionError("reload: expected a server that runs, but it is closing.");
    try {
      const report = await registry.reload();
      metrics.onReload(true);
      onLog?.({ level: "info", event: "reloaded", ...report });
      return report;
    } catch (error) {
      metrics.onReload(false);
      onLog?.({ level: "error", event: "reload failed", error: (error as Error).message });
      throw error;
    }
  };
  const member = joinSupervisor({ reload, metrics: () => metrics.values(), close: () => close() });
  const app = createApp(services, {
    reload: member?.reloadAll ?? reload,
    metrics: member?.metricsOfAll ?? (() => metrics.text()),
  });
  let listening = member === undefined ? await listen(app, whole) : undefined;
  if (whole.token === undefined && !isLoopback(whole.host))
    onLog?.({
      level: "warning",
      event: "open",
      text: `Whoever reaches ${whole.host} may use this server: give a token, or listen at 127.0.0.1.`,
    });

  async function end(drain: number): Promise<void> {
    state = "closing";
    onLog?.({ level: "info", event: "closing" });
    await after(drain);
    await listening?.close();
    await registry.close();
    await json.close();
    onLog?.({ level: "info", event: "closed" });
  }
  try {
    await reload();
    if (closing !== undefined) throw new ServeError("The server was closed while its models loaded.");
    // A process among others takes no request before it can answer.
    listening ??= await listen(
      app,
      member?.isRelayed ? { ...whole, host: "127.0.0.1", port: 0, exclusive: true } : whole,
    );
  } catch (error) {
    await close(0);
    throw error;
  }
  state = "ready";
  const models = (): ServedModelInfo[] =>
    registry
      .all()
      .map(({ name, version, description: { runtime, precision } }) => ({ name, version, runtime, precision }));
  const { url } = listening;
  onLog?.({ level: "info", event: "ready", url, models: models() });
  const { host, port, token, timeoutMs, bodyLimit } = whole;
  const relay = { port: listening.port, options: { host, port, token, timeoutMs, bodyLimit, drainMs } };
  await member?.ready({ url, models: models(), ...(member.isRelayed && { relay }) });
  return {
    url,
    models,
    reload,
    async close() {
      if (closing === undefined && member?.isRelayed) await member.leave();
      await close();
    },
  };
}

function checkSources(sources: Readonly<Record<string, ModelSource>>): void {
  const names = typeof sources === "object" && sources !== null ? Object.keys(sources) : [];
  if (names.length === 0) throw new OptionError(`serve: expected models by name, got ${shown(sources)}.`);
  for (const name of names) {
    if (!/^[A-Za-z0-9_][\w.-]{0,63}$/.test(name))
      throw new OptionError(`serve: expected names of letters, digits, ".", "-" and "_", got ${shown(name)}.`);
    const source: unknown = sources[name];
    const isModel = typeof (source as { apply?: unknown } | null)?.apply === "function";
    if (typeof source !== "string" && !isModel)
      throw new OptionError(`serve: expected a path or a model for ${name}, got ${shown(source)}.`);
  }
}

function checkLabels(sources: Readonly<Record<string, ModelSource>>, labels: ServeOptions["labels"] = {}): void {
  for (const [model, versions] of Object.entries(labels)) {
    if (!Object.hasOwn(sources, model))
      throw new OptionError(
        `serve: expected labels of the models ${Object.keys(sources).join(", ")}, got ${shown(model)}.`,
      );
    for (const [label, version] of Object.entries(versions)) {
      if (/^[\w.-]{1,64}$/.test(label) && Number.isSafeInteger(version) && version >= 1) continue;
      throw new OptionError(
        `serve: expected a version from 1 for the label ${shown(label)} of ${model}, got ${shown(version)}.`,
      );
    }
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
