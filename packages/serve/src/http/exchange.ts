import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import type { JsonThreads } from "../json/json-threads.ts";
import type { Metrics } from "../metrics.ts";
import type { Registry } from "../models/registry.ts";
import type { ServedModel } from "../models/served-model.ts";
import type { Unwritten } from "../protocols/write-json.ts";
import type { WholeOptions } from "../serve-options.ts";
import type { BodyReader } from "./read-body.ts";
import { RequestError } from "./request-error.ts";

/** What the log and the metrics tell of a request. */
export interface RequestFacts {
  protocol: string;
  model?: string;
  version?: number;
}

/** The types of Hono's context here. */
export interface Environment {
  Bindings: HttpBindings;
  Variables: { facts: RequestFacts; signal: AbortSignal };
}

export type Exchange = Context<Environment>;

/** What the protocols share. */
export interface Services {
  readonly registry: Registry;
  readonly json: JsonThreads;
  readonly bodies: BodyReader;
  readonly metrics: Metrics;
  readonly options: WholeOptions;
  /** True once every model is warm, and until the server closes. */
  isReady(): boolean;
  /** True while the server closes: connections are not kept. */
  isClosing(): boolean;
}

/** The model that a path names by its version or label, else the largest version; told to the log. */
export function modelOf(
  exchange: Exchange,
  { registry, options }: Services,
  { name, version, label }: { readonly name: string; readonly version?: string; readonly label?: string },
): ServedModel {
  if (version !== undefined && !/^[1-9]\d{0,14}$/.test(version))
    throw new RequestError(404, `A version is a whole number from 1, got "${version.slice(0, 40)}".`);
  const labels = options.labels?.[name] ?? {};
  if (label !== undefined && !Object.hasOwn(labels, label))
    throw new RequestError(404, `The model ${name.slice(0, 80)} has no label "${label.slice(0, 80)}".`);
  const wanted = label === undefined ? version : labels[label];
  const model = registry.find(name, wanted === undefined ? undefined : Number(wanted));
  Object.assign(exchange.var.facts, { model: model.name, version: model.version });
  return model;
}

/** Runs `work` with the body of a request, inside a model's limit of requests. */
export async function withBody<T>(
  exchange: Exchange,
  services: Services,
  model: ServedModel,
  work: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  const leave = model.enter();
  try {
    const { bytes, release } = await services.bodies.read(exchange.env.incoming, exchange.var.signal);
    try {
      return await work(bytes);
    } finally {
      release();
    }
  } finally {
    leave();
  }
}

/** Answers with tensors written as JSON. */
export async function answerTensors(exchange: Exchange, services: Services, answer: Unwritten): Promise<Response> {
  const bytes = await services.json.write(answer);
  return answerBytes(exchange, services, bytes, { "Content-Type": "application/json" });
}

/** Answers with a value as JSON. */
export function answerJson(exchange: Exchange, services: Services, value: object): Response {
  return answerBytes(exchange, services, Buffer.from(JSON.stringify(value)), { "Content-Type": "application/json" });
}

/**
 * Answers with bytes, which count as the server's memory until the client has them. They go to Node's response as they are: by way of a
 * standard `Response` they would become a stream first, which costs a small answer as much as all the rest.
 */
export function answerBytes(
  exchange: Exchange,
  { bodies, isClosing }: Services,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Response {
  const { outgoing } = exchange.env;
  // A client that has left gets nothing.
  if (outgoing.closed) return RESPONSE_ALREADY_SENT;
  outgoing.once("close", bodies.hold(bytes.length));
  outgoing.writeHead(200, {
    ...headers,
    "Content-Length": bytes.length,
    ...(isClosing() && { Connection: "close" }),
  });
  outgoing.end(bytes);
  return RESPONSE_ALREADY_SENT;
}

/** Refuses a body that says it is something else. Clients that say nothing, or curl's default, are believed. */
export function checkContentType(exchange: Exchange, allowed: RegExp, expected: string): void {
  const type = (exchange.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type === "" || type === "application/x-www-form-urlencoded" || allowed.test(type)) return;
  throw new RequestError(415, `Content-Type: expected ${expected}, got "${type.slice(0, 80)}".`);
}
