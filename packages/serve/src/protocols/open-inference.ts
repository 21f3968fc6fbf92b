import type { Values } from "@convkit/graph";
import type { Hono } from "hono";
import {
  answerBytes,
  answerTensors,
  checkContentType,
  modelOf,
  withBody,
  type Environment,
  type Exchange,
  type Services,
} from "../http/exchange.ts";
import { RequestError } from "../http/request-error.ts";
import type { ServedModel } from "../models/served-model.ts";
import { serverVersion } from "../server-version.ts";
import { bytesTensor, largestClasses } from "./classification.ts";
import type { InferBody, Port } from "./open-inference-body.ts";

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
    exchange.json({ name: "convkit", version: serverVersion, extensions: ["binary_tensor_data", "classification"] }),
  );
  for (const path of ["/v2/models/:name", "/v2/models/:name/versions/:version"] as const) {
    const find = (exchange: Exchange): ServedModel =>
      modelOf(exchange, services, exchange.req.param() as { readonly name: string });
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
    const body = await services.json.readInfer(bytes, model.inputs, jsonLength);
    checkNames(body, model);
    const values = await model.predict(body.inputs, exchange.var.signal);
    return answer(exchange, services, model, body, values);
  });
}

function headerLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestError(400, `Inference-Header-Content-Length: expected a whole number, got "${text.slice(0, 40)}".`);
}

/** The body may name the model again, and only outputs that the model has. */
function checkNames({ outputs = [], modelName, modelVersion }: InferBody, model: ServedModel): void {
  for (const [key, found, expected] of [
    ["model_name", modelName, model.name],
    ["model_version", modelVersion, String(model.version)],
  ] as const) {
    if (found !== undefined && found !== "" && found !== expected)
      throw new RequestError(400, `${key}: expected "${expected}", as the path says, got "${found.slice(0, 80)}".`);
  }
  const known = model.outputs.map(({ name }) => name);
  const unknown = outputs.find(({ name }) => !known.includes(name));
  if (unknown !== undefined)
    throw new RequestError(
      400,
      `The model ${model.name} has no output "${unknown.name.slice(0, 80)}": its outputs are ${known.join(", ")}.`,
    );
}

async function answer(
  exchange: Exchange,
  services: Services,
  model: ServedModel,
  { id, outputs, binary }: InferBody,
  values: readonly Values[],
): Promise<Response> {
  const wanted: NonNullable<InferBody["outputs"]> = outputs ?? model.outputs.map(({ name }) => ({ name, binary }));
  const tails: Uint8Array[] = [];
  const attached = (head: object, bytes: Uint8Array) => {
    tails.push(bytes);
    return { head: { ...head, parameters: { binary_data_size: bytes.length } } };
  };
  const listed = wanted.map(({ name, binary: isBinary, classification }) => {
    const value = values[model.outputs.findIndex((output) => output.name === name)]!;
    const { data, shape } = value;
    if (classification !== undefined) {
      const rows = largestClasses(value, classification, model.classes);
      const head = { name, datatype: "BYTES", shape: [rows.length, rows[0]!.length] };
      return isBinary ? attached(head, bytesTensor(rows.flat())) : { head: { ...head, data: rows.flat() } };
    }
    const head = { name, datatype: "FP32", shape };
    return isBinary
      ? attached(head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      : { head, tensor: { data, shape } };
  });
  const head = { model_name: model.name, model_version: String(model.version), ...(id !== undefined && { id }) };
  const unwritten = { kind: "infer", head, outputs: listed } as const;
  if (tails.length === 0) return answerTensors(exchange, services, unwritten);
  const json = await services.json.write(unwritten);
  return answerBytes(exchange, services, new Uint8Array(Buffer.concat([json, ...tails])), {
    "Content-Type": "application/octet-stream",
    "Inference-Header-Content-Length": String(json.length),
  });
}

function metadataOf({ name, inputs, outputs, description }: ServedModel, { registry }: Services): object {
  const tensors = (ports: readonly Port[]) =>
    ports.map((port) => ({ name: port.name, datatype: "FP32", shape: port.shape.map((size) => size ?? -1) }));
  return {
    name,
    versions: registry.versionsOf(name).map(({ version }) => String(version)),
    platform: `convkit_${description.runtime}`,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
  };
}
