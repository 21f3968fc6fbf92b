import type { Values } from "@convkit/graph";
import type { Hono } from "hono";
import {
  checkContentType,
  modelOf,
  withBody,
  type Environment,
  type Exchange,
  type Services,
} from "../http/exchange.ts";
import { RequestError } from "../http/request-error.ts";
import type { ServedModel, ServedPort } from "../models/served-model.ts";
import { serverVersion } from "../server-version.ts";
import { checkFinite } from "./nested-values.ts";
import type { InferBody } from "./open-inference-body.ts";

/** The Open Inference Protocol, version 2, with the binary tensor data extension: https://github.com/kserve/open-inference-protocol */
export function addOpenInference(app: Hono<Environment>, services: Services): void {
  app.use("/v2/*", async (exchange, next) => {
    exchange.var.facts.protocol = "open-inference";
    await next();
  });
  app.get("/v2/health/live", (exchange) => exchange.json({ live: true }));
  app.get("/v2/health/ready", (exchange) => {
    const ready = services.isReady();
    return exchange.json({ ready }, ready ? 200 : 503);
  });
  app.get("/v2", (exchange) =>
    exchange.json({ name: "convkit", version: serverVersion, extensions: ["binary_tensor_data"] }),
  );
  for (const path of ["/v2/models/:name", "/v2/models/:name/versions/:version"] as const) {
    const find = (exchange: Exchange): ServedModel =>
      modelOf(exchange, services, exchange.req.param("name")!, exchange.req.param("version"));
    app.get(path, (exchange) => exchange.json(metadataOf(find(exchange), services)));
    app.get(`${path}/ready`, (exchange) => {
      const { name } = find(exchange);
      return exchange.json({ name, ready: true });
    });
    app.post(`${path}/infer`, (exchange) => infer(exchange, services, find(exchange)));
  }
}

async function infer(exchange: Exchange, services: Services, model: ServedModel): Promise<Response> {
  checkContentType(
    exchange,
    /^(application\/(.+\+)?json|application\/octet-stream|text\/plain)$/,
    "application/json or application/octet-stream",
  );
  const jsonLength = headerLength(exchange.req.header("inference-header-content-length"));
  return withBody(exchange, services, model, async (bytes) => {
    const body = await services.parser.infer(bytes, jsonLength);
    checkOutputs(body, model);
    const values = await model.predict(body.inputs, exchange.var.signal);
    return answer(exchange, model, body, values);
  });
}

function headerLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestError(400, `Inference-Header-Content-Length: expected a whole number, got "${text.slice(0, 40)}".`);
}

function checkOutputs({ outputs = [] }: InferBody, model: ServedModel): void {
  const known = model.outputs.map(({ name }) => name);
  const unknown = outputs.find(({ name }) => !known.includes(name));
  if (unknown !== undefined)
    throw new RequestError(
      400,
      `The model ${model.name} has no output "${unknown.name.slice(0, 80)}": its outputs are ${known.join(", ")}.`,
    );
}

function answer(exchange: Exchange, model: ServedModel, { id, outputs, binary }: InferBody, values: readonly Values[]) {
  const wanted = outputs ?? model.outputs.map(({ name }) => ({ name, binary }));
  const tails: Uint8Array[] = [];
  const listed = wanted.map((each) => {
    const { data, shape } = values[model.outputs.findIndex(({ name }) => name === each.name)]!;
    const head = { name: each.name, datatype: "FP32", shape };
    if (!each.binary) {
      checkFinite([{ data, shape }], "; ask for binary data");
      return { ...head, data: Array.from(data) };
    }
    tails.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { ...head, parameters: { binary_data_size: data.byteLength } };
  });
  const json = {
    model_name: model.name,
    model_version: String(model.version),
    ...(id !== undefined && { id }),
    outputs: listed,
  };
  if (tails.length === 0) return exchange.json(json);
  const head = Buffer.from(JSON.stringify(json));
  return exchange.body(new Uint8Array(Buffer.concat([head, ...tails])), 200, {
    "Content-Type": "application/octet-stream",
    "Inference-Header-Content-Length": String(head.length),
  });
}

function metadataOf({ name, inputs, outputs, description }: ServedModel, { registry }: Services): object {
  const tensors = (ports: readonly ServedPort[]) =>
    ports.map((port) => ({ name: port.name, datatype: "FP32", shape: port.shape.map((size) => size ?? -1) }));
  return {
    name,
    versions: registry.versionsOf(name).map(({ version }) => String(version)),
    platform: `convkit_${description.runtime}`,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
  };
}
