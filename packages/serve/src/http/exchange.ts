import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Metrics } from "../metrics.ts";
import type { Registry } from "../models/registry.ts";
import type { ServedModel } from "../models/served-model.ts";
import type { Parser } from "../parsing/parser.ts";
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
  readonly parser: Parser;
  readonly bodies: BodyReader;
  readonly metrics: Metrics;
  readonly options: WholeOptions;
  /** True once every model is warm, and until the server closes. */
  isReady(): boolean;
}

/** The model that a path names, told to the log. */
export function modelOf(exchange: Exchange, { registry }: Services, name: string, version?: string): ServedModel {
  if (version !== undefined && !/^[1-9]\d{0,14}$/.test(version))
    throw new RequestError(404, `A version is a whole number from 1, got "${version.slice(0, 40)}".`);
  const model = registry.find(name, version === undefined ? undefined : Number(version));
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

/** Refuses a body that says it is something else. Clients that say nothing, or curl's default, are believed. */
export function checkContentType(exchange: Exchange, allowed: RegExp, expected: string): void {
  const type = (exchange.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type === "" || type === "application/x-www-form-urlencoded" || allowed.test(type)) return;
  throw new RequestError(415, `Content-Type: expected ${expected}, got "${type.slice(0, 80)}".`);
}
